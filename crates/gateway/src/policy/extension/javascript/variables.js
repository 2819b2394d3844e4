// Variables and print (api-management §9.6), on top of the host's operations.
// `host` is shared with the other parts and out of the script's reach.
void 0, function (host) {
  'use strict';
  var kept = {};      // objects in variables, by name, as this script knows them
  host.ends = [];     // what is done when the script has ended
  host.flush = function () {};
  host.own = Object.prototype.hasOwnProperty;
  host.hidden = function (object, name, value) {
    return Object.defineProperty(object, name, { value: value, writable: true, configurable: true });
  };
  host.text = function (value) { return value === null || value === undefined ? '' : String(value); };

  // Between the scripts of a request objects are data: calls under way keep their number, functions are lost.
  function pack(value) {
    return JSON.stringify(value, function (_, part) {
      if (typeof part === 'function') return { $function: true };
      if (part && part.$exchange !== undefined) return { $exchange: part.$exchange };
      return part;
    });
  }
  function unpack(packed) {
    return JSON.parse(packed, function (_, part) {
      if (part && part.$exchange !== undefined && host.exchange) return host.exchange(part.$exchange);
      if (part && part.$function) return function () { throw new Error('a function cannot be kept from one script to the next'); };
      return part;
    });
  }
  host.pack = pack;
  host.unpack = unpack;
  function isData(value) {
    return typeof value === 'function' || value !== null && typeof value === 'object' && typeof value.valueOf() === 'object';
  }

  var context = {
    getVariable: function (name) {
      name = String(name);
      host.flush(name);
      var value = host.get(name);
      if (!Array.isArray(value)) return value;
      if (!host.own.call(kept, name) || kept[name].packed !== value[0]) kept[name] = { value: unpack(value[0]), packed: value[0] };
      return kept[name].value;
    },
    setVariable: function (name, value) {
      name = String(name);
      host.flush(name, true);
      delete kept[name];
      if (!isData(value)) return host.set(name, value === undefined || value === null ? null : value.valueOf());
      kept[name] = { value: value, packed: pack(value) };
      return host.set(name, [kept[name].packed]);
    },
    removeVariable: function (name) { return context.setVariable(name, null); }
  };
  Object.defineProperty(context, 'flow', { get: function () { return host.flow(); }, enumerable: true });
  host.ends.push(function () {
    Object.keys(kept).forEach(function (name) {
      var packed = pack(kept[name].value);
      if (packed !== kept[name].packed && Array.isArray(host.get(name))) host.set(name, [packed]);
    });
  });

  host.hidden(globalThis, 'context', context);
  host.hidden(globalThis, 'print', function () { host.print(Array.prototype.map.call(arguments, String).join(' ')); });
  return function () { host.ends.forEach(function (end) { end(); }); };
}

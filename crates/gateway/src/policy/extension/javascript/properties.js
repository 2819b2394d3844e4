// The policy's properties.
void 0, function (host) {
  'use strict';
  var properties = new Proxy({}, {
    get: function (own, name) {
      if (typeof name !== 'string' || host.own.call(own, name)) return own[name];
      var value = host.property(name);
      return value === null ? own[name] : value;
    },
    has: function (own, name) { return name in own || host.properties().indexOf(name) !== -1; },
    ownKeys: function (own) {
      return host.properties().concat(Object.keys(own)).filter(function (name, at, all) { return all.indexOf(name) === at; });
    },
    getOwnPropertyDescriptor: function (own, name) {
      if (this.has(own, name)) return { value: this.get(own, name), writable: true, enumerable: true, configurable: true };
    }
  });
  host.hidden(globalThis, 'properties', properties);
}

// Makes a realm that can be used again: what all scripts share cannot be changed, and what a script adds
// can be taken away. Runs once per engine, before any script; its result runs before each script.
void 0, function (operations) {
  'use strict';
  var global = globalThis, keys = Reflect.ownKeys, describe = Object.getOwnPropertyDescriptor,
    define = Reflect.defineProperty, remove = Reflect.deleteProperty, protoOf = Object.getPrototypeOf,
    freeze = Object.freeze, isExtensible = Object.isExtensible, object = Object;

  // Both keep what they are given inside the engine, where freezing does not reach.
  remove(Error, 'prepareStackTrace');
  remove(Error, 'stackTraceLimit');

  // Everything that can be reached from the globals, and what only syntax leads to.
  var seen = new Set([global]), found = [];
  function see(value) {
    if ((typeof value === 'object' && value !== null || typeof value === 'function') && !seen.has(value)) {
      seen.add(value);
      found.push(value);
    }
  }
  function look(owner) {
    see(protoOf(owner));
    keys(owner).forEach(function (key) {
      var property = describe(owner, key);
      see(property.value);
      see(property.get);
      see(property.set);
    });
  }
  look(global);
  see(operations);
  [function () {}, function* () {}, async function () {}, async function* () {}, (function* () {})(), (async function* () {})(),
    [][Symbol.iterator](), ''[Symbol.iterator](), new Map()[Symbol.iterator](), new Set()[Symbol.iterator](),
    'a'.matchAll(/a/g), (function () { return arguments; })()].forEach(look);
  for (var at = 0; at < found.length; at++) look(found[at]);

  // A property of a frozen prototype cannot be assigned to on what inherits it, unless it has a setter.
  function overridable(owner, key, value) {
    define(owner, key, {
      get: freeze(object.getOwnPropertyDescriptor({ get x() { return value; } }, 'x').get),
      set: freeze(object.getOwnPropertyDescriptor({ set x(other) {
        if (this === owner || object(this) !== this || !isExtensible(this)) return;
        define(this, key, { value: other, writable: true, enumerable: true, configurable: true });
      } }, 'x').set)
    });
  }
  found.forEach(function (owner) {
    if ((typeof owner === 'object' || owner === protoOf(see)) && describe(owner, 'constructor')) {
      keys(owner).forEach(function (key) {
        var property = describe(owner, key);
        if (typeof key === 'string' && property.writable && property.configurable) overridable(owner, key, property.value);
      });
    }
  });
  found.forEach(freeze);
  keys(global).forEach(function (key) {
    var property = describe(global, key);
    if (property.configurable) define(global, key, 'value' in property ? { writable: false, configurable: false } : { configurable: false });
  });

  var kept = new Set(keys(global)), names = keys(operations), proto = protoOf(global);
  // Gives a new object with the host's operations, or nothing when the realm is not as it was.
  return function () {
    if (protoOf(global) !== proto || !isExtensible(global)) return null;
    var now = keys(global);
    for (var i = 0; i < now.length; i++) {
      if (!kept.has(now[i]) && !remove(global, now[i])) return null;
    }
    var host = {};
    for (var j = 0; j < names.length; j++) host[names[j]] = operations[names[j]];
    return host;
  };
}

// What the scripts of a request keep for each other.
void 0, function (host) {
  'use strict';
  var session = {};
  host.hidden(globalThis.context, 'session', new Proxy(session, {
    get: function (_, name) {
      if (typeof name === 'string' && !host.own.call(session, name)) {
        var packed = host.session(name);
        if (packed !== null) session[name] = host.unpack(packed);
      }
      return session[name];
    },
    has: function (_, name) { return host.own.call(session, name) || host.session(String(name)) !== null; },
    deleteProperty: function (_, name) { host.keep(String(name), null); return delete session[name]; }
  }));
  host.ends.push(function () {
    Object.keys(session).forEach(function (name) {
      host.keep(name, session[name] === undefined ? null : host.pack(session[name]));
    });
  });
}

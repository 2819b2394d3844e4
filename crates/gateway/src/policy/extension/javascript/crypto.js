// Digests and dates.
void 0, function (host) {
  'use strict';
  function digest(algorithm) {
    var parts = '';
    var object = {
      update: function (part) { parts += host.text(part); return object; },
      digest: function () { return host.hash(algorithm, parts, 'Hex'); },
      digest64: function () { return host.hash(algorithm, parts, 'Base64'); }
    };
    object.hex = object.digest;
    return object;
  }
  var crypto = {
    dateFormat: function (format, zone, time) {
      return host.date(host.text(format), host.text(zone), time === undefined ? null : Number(time));
    }
  };
  ['MD5', 'SHA1', 'SHA256', 'SHA384', 'SHA512'].forEach(function (name) {
    crypto['get' + name] = function () { return digest(name.toLowerCase()); };
  });
  host.hidden(globalThis, 'crypto', crypto);
}

// Java itself is out of reach, and says so.
void 0, function () {
  'use strict';
  ['java', 'javax', 'Packages', 'JavaAdapter', 'JavaImporter', 'importClass', 'importPackage', 'load', 'quit'].forEach(function (name) {
    function forbidden() {
      var error = new Error('a script has no access to ' + name);
      error.name = 'SecurityError';
      throw error;
    }
    Object.defineProperty(globalThis, name, {
      value: new Proxy(forbidden, { get: forbidden, set: forbidden, apply: forbidden, construct: forbidden }),
      writable: true, configurable: true
    });
  });
}

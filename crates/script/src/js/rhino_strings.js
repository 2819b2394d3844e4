// Strings that come from Java have Java's methods, and for each goes over values.
void 0, function () {
  'use strict';
  function add(target, name, value) {
    Object.defineProperty(target, name, { value: value, writable: true, configurable: true });
  }
  var string = String.prototype;
  add(string, 'equals', function (other) { return other !== null && other !== undefined && String(this) === String(other); });
  add(string, 'equalsIgnoreCase', function (other) {
    return other !== null && other !== undefined && String(this).toLowerCase() === String(other).toLowerCase();
  });
  add(string, 'isEmpty', function () { return String(this) === ''; });
  add(string, 'contains', function (part) { return String(this).indexOf(String(part)) !== -1; });
  add(string, 'compareTo', function (other) {
    var a = String(this), b = String(other);
    for (var i = 0; i < a.length && i < b.length; i++) {
      if (a.charCodeAt(i) !== b.charCodeAt(i)) return a.charCodeAt(i) - b.charCodeAt(i);
    }
    return a.length - b.length;
  });
  add(string, 'hashCode', function () {
    for (var i = 0, hash = 0; i < this.length; i++) hash = (hash * 31 + this.charCodeAt(i)) | 0;
    return hash;
  });
  add(globalThis, '__values', function (object) {
    return object === null || object === undefined ? [] : Object.keys(object).map(function (key) { return object[key]; });
  });
}

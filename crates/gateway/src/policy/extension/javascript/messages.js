// The messages of an exchange as objects: request, response and their names in context.
// Objects share prototypes and are made when they are asked for: most scripts touch two or three of them, and
// each run begins with this code.
void 0, function (host) {
  'use strict';
  var live = {}, alive = false;   // bodies read as JSON or form, by message; changing the object changes the body
  var hidden = host.hidden, text = host.text;
  var NAME = Symbol(), VALUES = Symbol(), READ = Symbol();
  var readXml = globalThis.XML;

  // Several values that read as one text.
  var severalValues = {
    __proto__: String.prototype,
    get length() { return this[VALUES].length; },
    toString() { return this[VALUES].join(','); },
    valueOf() { return this[VALUES].join(','); },
    toJSON() { return this[VALUES].length === 1 ? this[VALUES][0] : this[VALUES]; }
  };
  host.several = function (values) {
    var object = { __proto__: severalValues, [VALUES]: values };
    for (var i = 0; i < values.length; i++) object[i] = values[i];
    return object;
  };
  host.list = function (value) {
    if (value === null || value === undefined) return null;
    var many = Array.isArray(value) || typeof value === 'object' && value[VALUES] !== undefined;
    return many ? Array.prototype.map.call(value, text) : [text(value)];
  };

  var parameters = {
    get(of, name) {
      if (typeof name !== 'string') return undefined;
      var values = host.values(of.message, of.kind, name);
      return values.length > 0 ? host.several(values) : Object.prototype[name];
    },
    set(of, name, value) { host.put(of.message, of.kind, String(name), host.list(value)); return true; },
    has(of, name) { return typeof name === 'string' && host.values(of.message, of.kind, name).length > 0; },
    deleteProperty(of, name) { host.put(of.message, of.kind, String(name), null); return true; },
    ownKeys(of) { return host.names(of.message, of.kind); },
    getOwnPropertyDescriptor(of, name) {
      if (parameters.has(of, name)) return { value: parameters.get(of, name), writable: true, enumerable: true, configurable: true };
    }
  };
  function group(message, kind) { return new Proxy({ message: message, kind: kind }, parameters); }
  function regroup(message, kind, all) {
    host.names(message, kind).forEach(function (old) { host.put(message, kind, old, null); });
    for (var key in all) host.put(message, kind, key, host.list(all[key]));
  }

  var readers = {
    asJSON(content) { return content.trim() === '' ? {} : JSON.parse(content); },
    asForm(content) {
      var form = {};
      content.split('&').forEach(function (pair) {
        var parts = pair.split('=').map(function (part) { return decodeURIComponent(part.replace(/\+/g, ' ')); });
        if (pair !== '') form[parts[0]] = parts.slice(1).join('=');
      });
      return form;
    },
    asXML(content) {
      var xml = readXml(content);
      if (xml.nodeKind() !== 'element') throw new Error('not XML: there is no element');
      return xml;
    }
  };
  var writers = {
    asJSON(value) { return JSON.stringify(value); },
    asForm(value) {
      return Object.keys(value).map(function (name) {
        return encodeURIComponent(name) + '=' + encodeURIComponent(text(value[name]));
      }).join('&');
    }
  };

  // Whether a body that nobody changed would be written like this.
  var unchanged = {
    asJSON(content, now) { return host.same(content.trim() === '' ? '{}' : content, now); },
    asForm(content, now) { return writers.asForm(readers.asForm(content)) === now; }
  };

  // A body is a text that can also be read as something.
  var body = {
    __proto__: String.prototype,
    get asJSON() { return this[READ]('asJSON', String(this)); },
    get asForm() { return this[READ]('asForm', String(this)); },
    get asXML() { return this[READ]('asXML', String(this)); }
  };
  host.body = function (content, read) {
    return hidden(Object.setPrototypeOf(new String(content), body), READ, read);
  };
  host.parse = function (kind, content) { return readers[kind](content); };

  // What was not changed stays as it was written, to the byte.
  function flush() {
    if (!alive) return;
    Object.keys(live).forEach(function (message) {
      var one = live[message], now = writers[one.kind](one.value);
      var isAsBefore = one.was === null ? unchanged[one.kind](one.content, now) : one.was === now;
      if (!isAsBefore) host.set(message + '.content', now);
      one.was = now;
    });
  }
  host.flush = function (name, writes) {
    if (!alive || !/content$|form|^(request|response|message|error)$/.test(name)) return;
    flush();
    if (writes) forget();
  };
  host.ends.unshift(flush);
  function forget() { live = {}; alive = false; }

  function reading(message) {
    return function (kind, content) {
      if (live[message] && live[message].kind === kind) return live[message].value;
      var value = readers[kind](content);
      if (writers[kind]) {
        live[message] = { kind: kind, value: value, content: content, was: null };
        alive = true;
      }
      return value;
    };
  }

  function variable(of, part) {
    var value = host.get(of[NAME] + part);
    return value === null ? undefined : value;
  }
  function assign(of, part, value) { host.set(of[NAME] + part, text(value)); }
  function content(of) {
    flush();
    return host.body(text(host.get(of[NAME] + '.content')), reading(of[NAME]));
  }
  function setContent(of, value) {
    delete live[of[NAME]];
    assign(of, '.content', value);
  }
  var statusParts = {
    __proto__: Number.prototype,
    get code() { return Number(this); },
    set code(value) { assign(this, '.status.code', value); },
    get message() { return text(host.get(this[NAME] + '.reason.phrase')); },
    set message(value) { assign(this, '.reason.phrase', value); }
  };
  var messages = {
    get headers() { return group(this[NAME], 'header'); },
    set headers(all) { regroup(this[NAME], 'header', all); },
    get queryParams() { return group(this[NAME], 'queryparam'); },
    set queryParams(all) { regroup(this[NAME], 'queryparam', all); },
    get formParams() { return group(this[NAME], 'formparam'); },
    set formParams(all) { regroup(this[NAME], 'formparam', all); },
    get method() { return variable(this, '.verb'); },
    set method(value) { assign(this, '.verb', value); },
    get verb() { return variable(this, '.verb'); },
    set verb(value) { assign(this, '.verb', value); },
    get url() { return variable(this, '.url'); },
    set url(value) { host.set('target.url', text(value)); },
    get uri() { return variable(this, '.uri'); },
    set uri(value) { assign(this, '.uri', value); },
    get path() { return variable(this, '.path'); },
    set path(value) { assign(this, '.path', value); },
    get querystring() { return variable(this, '.querystring'); },
    set querystring(value) { assign(this, '.querystring', value); },
    get version() { return variable(this, '.version'); },
    set version(value) { assign(this, '.version', value); },
    get content() { return content(this); },
    set content(value) { setContent(this, value); },
    get body() { return content(this); },
    set body(value) { setContent(this, value); },
    get status() {
      var code = host.get(this[NAME] + '.status.code');
      if (code === null) return undefined;
      return hidden(Object.setPrototypeOf(new Number(code), statusParts), NAME, this[NAME]);
    },
    set status(value) { assign(this, '.status.code', value); }
  };
  function message(name) { return { __proto__: messages, [NAME]: name }; }

  var request = message('request'), response = message('response');
  hidden(globalThis, 'request', request);
  hidden(globalThis, 'response', response);
  hidden(globalThis.context, 'proxyRequest', request);
  hidden(globalThis.context, 'targetRequest', request);
  hidden(globalThis.context, 'proxyResponse', response);
  hidden(globalThis.context, 'targetResponse', response);
}

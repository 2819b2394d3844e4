// The messages of an exchange as objects: request, response and their names in context.
void 0, function (host) {
  'use strict';
  var live = {};      // bodies read as JSON or form, by message; changing the object changes the body
  var hidden = host.hidden, text = host.text;

  function accessor(object, name, get, set) {
    Object.defineProperty(object, name, { get: get, set: set, configurable: true, enumerable: true });
  }

  // Several values that read as one text.
  host.several = function (values) {
    var object = Object.create(String.prototype);
    values.forEach(function (value, index) { object[index] = value; });
    hidden(object, 'length', values.length);
    hidden(object, 'toString', function () { return values.join(','); });
    hidden(object, 'valueOf', object.toString);
    return hidden(object, 'toJSON', function () { return values.length === 1 ? values[0] : values; });
  };
  host.list = function (value) {
    if (value === null || value === undefined) return null;
    var many = Array.isArray(value) || typeof value === 'object' && host.own.call(value, 'toJSON');
    return many ? Array.prototype.map.call(value, text) : [text(value)];
  };

  function parameters(message, kind) {
    var handler = {
      get: function (_, name) {
        if (typeof name !== 'string') return undefined;
        var values = host.values(message, kind, name);
        return values.length > 0 ? host.several(values) : Object.prototype[name];
      },
      set: function (_, name, value) { host.put(message, kind, String(name), host.list(value)); return true; },
      has: function (_, name) { return typeof name === 'string' && host.values(message, kind, name).length > 0; },
      deleteProperty: function (_, name) { host.put(message, kind, String(name), null); return true; },
      ownKeys: function () { return host.names(message, kind); },
      getOwnPropertyDescriptor: function (_, name) {
        if (handler.has(_, name)) return { value: handler.get(_, name), writable: true, enumerable: true, configurable: true };
      }
    };
    return new Proxy({}, handler);
  }

  var readers = {
    asJSON: function (content) { return content.trim() === '' ? {} : JSON.parse(content); },
    asForm: function (content) {
      var form = {};
      content.split('&').forEach(function (pair) {
        var parts = pair.split('=').map(function (part) { return decodeURIComponent(part.replace(/\+/g, ' ')); });
        if (pair !== '') form[parts[0]] = parts.slice(1).join('=');
      });
      return form;
    },
    asXML: function (content) { return node(JSON.parse(host.xml(content))); }
  };
  var writers = {
    asJSON: function (value) { return JSON.stringify(value); },
    asForm: function (value) {
      return Object.keys(value).map(function (name) {
        return encodeURIComponent(name) + '=' + encodeURIComponent(text(value[name]));
      }).join('&');
    }
  };

  // An element: its children by name, an attribute as ['@name'], its text by conversion.
  function node(tree) {
    var object = {}, byName = {};
    hidden(object, 'name', function () { return tree.name; });
    hidden(object, 'text', function () { return tree.text; });
    hidden(object, 'toXMLString', function () { return tree.xml; });
    hidden(object, 'toString', function () { return tree.children.length === 0 ? tree.text : tree.xml; });
    hidden(object, 'children', function () { return tree.children.map(node); });
    hidden(object, 'attribute', function (name) { return tree.attributes[name]; });
    hidden(object, '0', object);
    Object.keys(tree.attributes).forEach(function (name) { hidden(object, '@' + name, tree.attributes[name]); });
    tree.children.forEach(function (child) { (byName['.' + child.name] = byName['.' + child.name] || []).push(child); });
    Object.keys(byName).forEach(function (name) {
      accessor(object, name.slice(1), function () {
        return byName[name].length === 1 ? node(byName[name][0]) : byName[name].map(node);
      });
    });
    return object;
  }

  // A body is a text that can also be read as something.
  host.body = function (content, read) {
    var object = new String(content);
    Object.keys(readers).forEach(function (kind) {
      accessor(object, kind, function () { return read(kind, content); });
    });
    return object;
  };
  host.parse = function (kind, content) { return readers[kind](content); };

  function flush() {
    Object.keys(live).forEach(function (message) {
      var one = live[message], now = writers[one.kind](one.value);
      if (now !== one.was) { one.was = now; host.set(message + '.content', now); }
    });
  }
  host.flush = function (name, writes) {
    if (!/content$|form|^(request|response|message|error)$/.test(name)) return;
    flush();
    if (writes) live = {};
  };
  host.ends.unshift(flush);

  function message(name) {
    var object = {};
    function read(kind, content) {
      if (live[name] && live[name].kind === kind) return live[name].value;
      var value = readers[kind](content);
      if (writers[kind]) live[name] = { kind: kind, value: value, was: writers[kind](value) };
      return value;
    }
    [['headers', 'header'], ['queryParams', 'queryparam'], ['formParams', 'formparam']].forEach(function (group) {
      var values = parameters(name, group[1]);
      accessor(object, group[0], function () { return values; }, function (all) {
        host.names(name, group[1]).forEach(function (old) { host.put(name, group[1], old, null); });
        for (var key in all) host.put(name, group[1], key, host.list(all[key]));
      });
    });
    [['method', 'verb'], ['verb', 'verb'], ['url', 'url'], ['uri', 'uri'], ['path', 'path'], ['querystring', 'querystring'], ['version', 'version']].forEach(function (part) {
      var variable = name + '.' + part[1];
      accessor(object, part[0], function () {
        var value = host.get(variable);
        return value === null ? undefined : value;
      }, function (value) { host.set(part[0] === 'url' ? 'target.url' : variable, text(value)); });
    });
    ['content', 'body'].forEach(function (property) {
      accessor(object, property, function () {
        flush();
        return host.body(text(host.get(name + '.content')), read);
      }, function (value) {
        delete live[name];
        host.set(name + '.content', text(value));
      });
    });
    accessor(object, 'status', function () {
      var code = host.get(name + '.status.code');
      if (code === null) return undefined;
      var status = new Number(code);
      accessor(status, 'code', function () { return code; }, function (value) { host.set(name + '.status.code', text(value)); });
      accessor(status, 'message', function () { return text(host.get(name + '.reason.phrase')); }, function (value) {
        host.set(name + '.reason.phrase', text(value));
      });
      return status;
    }, function (value) { host.set(name + '.status.code', text(value)); });
    return object;
  }

  var request = message('request'), response = message('response');
  hidden(globalThis, 'request', request);
  hidden(globalThis, 'response', response);
  hidden(globalThis.context, 'proxyRequest', request);
  hidden(globalThis.context, 'targetRequest', request);
  hidden(globalThis.context, 'proxyResponse', response);
  hidden(globalThis.context, 'targetResponse', response);
}

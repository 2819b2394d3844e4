// XML as Rhino has it (ECMA-357): the objects that rewritten E4X calls, and that `body.asXML` gives.
// The host's operation `xml` reads a text into [local, uri, prefix, [[local, uri, prefix, value]], [[prefix, uri]], children]
// with texts as they are. Whitespace between elements, comments and processing instructions are left out, as the
// standard's defaults have it.
void 0, function (host) {
  'use strict';
  var states = new WeakMap();   // what stands behind each value: its nodes, and where it was looked for
  var own = Object.prototype.hasOwnProperty;

  function stateOf(value) {
    return (typeof value === 'object' && value !== null || typeof value === 'function') ? states.get(value) : undefined;
  }
  function fail(text) { throw new TypeError(text); }

  // Nodes.
  function textNode(text) { return { kind: 'text', text: text, parent: null }; }
  function element(name) {
    return { kind: 'element', local: name.local, uri: name.uri || '', prefix: name.prefix || '', attributes: [], spaces: [], kids: [], parent: null };
  }
  function grown(tree, parent) {
    if (typeof tree === 'string') { var text = textNode(tree); text.parent = parent; return text; }
    var node = element({ local: tree[0], uri: tree[1], prefix: tree[2] });
    node.parent = parent;
    node.attributes = tree[3].map(function (a) {
      return { kind: 'attribute', local: a[0], uri: a[1], prefix: a[2], text: a[3], parent: node };
    });
    node.spaces = tree[4];
    node.kids = tree[5].map(function (kid) { return grown(kid, node); });
    return node;
  }
  function copied(node, parent) {
    var copy = Object.assign({}, node, { parent: parent });
    if (node.kind === 'element') {
      copy.attributes = node.attributes.map(function (a) { return Object.assign({}, a, { parent: copy }); });
      copy.spaces = node.spaces.slice();
      copy.kids = node.kids.map(function (kid) { return copied(kid, copy); });
    }
    return copy;
  }
  function parsed(text) {
    if (!host.xml) fail('XML cannot be read here');
    return JSON.parse(host.xml(text)).map(function (tree) { return grown(tree, null); });
  }

  // Names: 'a', '@a', '*', '@*', '{uri}a', '@{*}a', 'uri::a'.
  function query(key) {
    var name = { attribute: key[0] === '@' };
    if (name.attribute) key = key.slice(1);
    var end;
    if (key[0] === '{') {
      end = key.indexOf('}');
      name.uri = key.slice(1, end) === '*' ? null : key.slice(1, end);
      name.local = key.slice(end + 1);
    } else if ((end = key.lastIndexOf('::')) !== -1) {
      name.uri = key.slice(0, end);
      name.local = key.slice(end + 2);
    } else {
      name.local = key;
      name.uri = key === '*' ? null : name.attribute ? '' : String(globalThis.__xmlDefault === undefined ? '' : globalThis.__xmlDefault);
      name.all = key === '*' && !name.attribute;
    }
    return name;
  }
  function matches(name, node) {
    if (name.all) return node.kind !== 'attribute';
    return node.kind === (name.attribute ? 'attribute' : 'element') && (name.local === '*' || name.local === node.local) &&
      (name.uri === null || name.uri === node.uri);
  }
  function among(node, name) {
    if (node.kind !== 'element') return [];
    return (name.attribute ? node.attributes : node.kids).filter(function (kid) { return matches(name, kid); });
  }
  function below(node, name, found) {
    if (node.kind !== 'element') return found;
    if (name.attribute) among(node, name).forEach(function (a) { found.push(a); });
    node.kids.forEach(function (kid) {
      if (!name.attribute && matches(name, kid)) found.push(kid);
      below(kid, name, found);
    });
    return found;
  }
  function looked(state, key) {
    var name = query(key);
    return [].concat.apply([], state.nodes.map(function (node) { return among(node, name); }));
  }

  // Texts.
  function isSimple(node) {
    return node.kind !== 'element' || !node.kids.some(function (kid) { return kid.kind === 'element'; });
  }
  function allSimple(state) {
    return state.nodes.length === 1 ? isSimple(state.nodes[0]) : !state.nodes.some(function (node) { return node.kind === 'element'; });
  }
  function plain(node) { return node.kind === 'element' ? node.kids.map(plain).join('') : node.text; }
  function asText(state) {
    return allSimple(state) ? state.nodes.map(plain).join('') : asXml(state);
  }
  function escaped(text) { return text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;'); }
  function quoted(text) {
    return text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/"/g, '&quot;')
      .replace(/\n/g, '&#xA;').replace(/\r/g, '&#xD;').replace(/\t/g, '&#x9;');
  }
  function written(node, scope, indent) {
    if (node.kind === 'text') return escaped(indent === null ? node.text : node.text.trim());
    if (node.kind === 'attribute') return escaped(node.text);
    scope = Object.assign(Object.create(null), scope);
    var head = '';
    function declare(prefix, uri) {
      if ((scope[prefix] || '') === uri || prefix === 'xml') return;
      scope[prefix] = uri;
      head += ' xmlns' + (prefix ? ':' + prefix : '') + '="' + quoted(uri) + '"';
    }
    function qualified(named) { return named.prefix ? named.prefix + ':' + named.local : named.local; }
    node.spaces.forEach(function (space) { declare(space[0], space[1]); });
    declare(node.prefix, node.uri);
    node.attributes.forEach(function (a) { if (a.prefix) declare(a.prefix, a.uri); });
    node.attributes.forEach(function (a) { head += ' ' + qualified(a) + '="' + quoted(a.text) + '"'; });
    head = '<' + qualified(node) + head;
    if (node.kids.length === 0) return head + '/>';
    var inLines = indent !== null && (node.kids.length > 1 || node.kids[0].kind === 'element');
    var inside = node.kids.map(function (kid) {
      var deeper = indent === null ? null : indent + '  ';
      return (inLines ? '\n' + deeper : '') + written(kid, scope, deeper);
    }).join('');
    return head + '>' + inside + (inLines ? '\n' + indent : '') + '</' + qualified(node) + '>';
  }
  // Namespaces of what is around a part are declared on the part where it uses them.
  function asXml(state) {
    return state.nodes.map(function (node) { return written(node, {}, ''); }).join('\n');
  }

  // Changes.
  function adopted(value, parent) {
    var state = stateOf(value);
    if (!state) return [Object.assign(textNode(String(value)), { parent: parent })];
    return state.nodes.map(function (node) {
      return node.kind === 'attribute' ? Object.assign(textNode(node.text), { parent: parent }) : copied(node, parent);
    });
  }
  function replace(node, value) {
    var state = stateOf(value), isContent = state && state.nodes.some(function (one) { return one.kind === 'element'; });
    if (node.kind === 'attribute') { node.text = state ? asText(state) : String(value); return; }
    if (node.kind === 'text') { node.text = String(value); return; }
    if (!isContent) {
      var text = state ? asText(state) : String(value);
      node.kids = text === '' ? [] : adopted(text, node);
      return;
    }
    if (!node.parent) fail('the root of an XML value cannot be replaced');
    var kids = node.parent.kids;
    kids.splice.apply(kids, [kids.indexOf(node), 1].concat(adopted(value, node.parent)));
  }
  function remove(node) {
    if (!node.parent) return;
    var of = node.kind === 'attribute' ? node.parent.attributes : node.parent.kids;
    of.splice(of.indexOf(node), 1);
  }
  // The one element that something is put into; it is made where a path led to nothing yet.
  function holder(state) {
    if (state.nodes.length === 0 && state.from) {
      var parent = holder(state.from.state), name = query(state.from.key);
      if (name.attribute || name.local === '*') fail('there is nothing to put this into');
      var made = element(name);
      made.parent = parent;
      parent.kids.push(made);
      state.nodes = [made];
    }
    if (state.nodes.length !== 1) fail('XML of ' + state.nodes.length + ' parts cannot be changed as one');
    if (state.nodes[0].kind !== 'element') fail('only elements have parts');
    return state.nodes[0];
  }
  function put(state, key, value) {
    var node = holder(state), name = query(key), there = among(node, name);
    if (there.length > 0) {
      there.slice(1).forEach(remove);
      replace(there[0], value);
      return;
    }
    if (name.local === '*') fail('there is nothing of any name');
    var given = stateOf(value);
    if (name.attribute) {
      node.attributes.push({ kind: 'attribute', local: name.local, uri: name.uri || '', prefix: '', text: given ? asText(given) : String(value), parent: node });
    } else if (given && given.nodes.some(function (one) { return one.kind === 'element'; })) {
      node.kids = node.kids.concat(adopted(value, node));
    } else {
      var made = element(name);
      made.parent = node;
      node.kids.push(made);
      replace(made, value);
    }
  }
  function single(state) {
    if (state.nodes.length !== 1) fail('this needs one XML value and there are ' + state.nodes.length);
    return state.nodes[0];
  }
  function insert(state, value, place) {
    var node = holder(state);
    node.kids.splice.apply(node.kids, [place(node), 0].concat(adopted(value, node)));
    return one(node);
  }
  function next(node, other, step) {
    var at = node.kids.indexOf(single(stateOf(other) || { nodes: [] }));
    if (at === -1) fail('that is no part of this element');
    return at + step;
  }
  function nameOf(node) {
    return node.kind === 'text' ? null : new QName(node.uri, node.local);
  }

  var methods = {
    appendChild: function (value) { return insert(this, value, function (node) { return node.kids.length; }); },
    prependChild: function (value) { return insert(this, value, function () { return 0; }); },
    insertChildAfter: function (other, value) { return insert(this, value, function (node) { return other === null ? 0 : next(node, other, 1); }); },
    insertChildBefore: function (other, value) {
      return insert(this, value, function (node) { return other === null ? node.kids.length : next(node, other, 0); });
    },
    attribute: function (name) { return part(this, '@' + name); },
    attributes: function () { return part(this, '@*'); },
    child: function (name) { return /^\d+$/.test(name) ? list([].concat.apply([], this.nodes.map(function (node) { return (node.kids || []).slice(+name, +name + 1); }))) : part(this, String(name)); },
    childIndex: function () { var node = single(this); return node.parent && node.kind !== 'attribute' ? node.parent.kids.indexOf(node) : -1; },
    children: function () { return part(this, '*'); },
    contains: function (value) { var state = this; return this.nodes.some(function (node) { return same(one(node), value); }) || same(list(state.nodes), value); },
    copy: function () { return list(this.nodes.map(function (node) { return copied(node, null); })); },
    descendants: function (name) {
      var asked = query(name === undefined ? '*' : String(name));
      return list([].concat.apply([], this.nodes.map(function (node) { return below(node, asked, []); })));
    },
    elements: function (name) {
      var found = looked(this, name === undefined ? '*' : String(name));
      return list(found.filter(function (node) { return node.kind === 'element'; }));
    },
    hasComplexContent: function () { return !allSimple(this); },
    hasSimpleContent: function () { return allSimple(this); },
    hasOwnProperty: function (name) { return looked(this, String(name)).length > 0; },
    length: function () { return this.nodes.length; },
    localName: function () { var node = single(this); return node.kind === 'text' ? null : node.local; },
    name: function () { return nameOf(single(this)); },
    namespace: function () { var node = single(this); return node.kind === 'text' ? null : new Namespace(node.prefix || '', node.uri); },
    nodeKind: function () { return single(this).kind; },
    normalize: function () { return list(this.nodes); },
    parent: function () {
      var parents = this.nodes.map(function (node) { return node.parent; });
      return parents.length > 0 && parents[0] && parents.every(function (node) { return node === parents[0]; }) ? one(parents[0]) : undefined;
    },
    replace: function (name, value) {
      var node = holder(this), there = among(node, query(String(name)));
      if (there.length > 0) { there.slice(1).forEach(remove); node.kids.splice.apply(node.kids, [node.kids.indexOf(there[0]), 1].concat(adopted(value, node))); }
      return one(node);
    },
    setChildren: function (value) { var node = holder(this); node.kids = adopted(value, node); return one(node); },
    setLocalName: function (name) { single(this).local = String(name); },
    setName: function (name) {
      var node = single(this), asked = name instanceof QName ? { local: name.localName, uri: name.uri } : query(String(name));
      node.local = asked.local;
      node.uri = asked.uri || '';
      node.prefix = '';
    },
    setNamespace: function (space) { var node = single(this); node.uri = String(space); node.prefix = space.prefix || ''; },
    text: function () { return list(looked(this, '*').filter(function (node) { return node.kind === 'text'; })); },
    toString: function () { return asText(this); },
    toJSON: function () { return asText(this); },
    toLocaleString: function () { return asText(this); },
    toXMLString: function () { return asXml(this); },
    valueOf: function () { return asText(this); },
    __where: function (holds) { return list(this.nodes.filter(function (node) { var value = one(node); return holds.call(value, value); })); }
  };
  // Values with simple content have the methods of their text.
  function methodOf(key) {
    if (own.call(methods, key)) return methods[key];
    var ofText = key !== 'constructor' && own.call(String.prototype, key) ? String.prototype[key] : undefined;
    return typeof ofText === 'function' ? function () { return ofText.apply(asText(this), arguments); } : undefined;
  }

  function isIndex(key) { return /^(0|[1-9]\d*)$/.test(key); }
  var handler = {
    get: function (target, key) {
      var state = target.state;
      if (key === Symbol.toPrimitive) return function () { return asText(state); };
      if (key === Symbol.iterator) return function () { return state.nodes.map(one)[Symbol.iterator](); };
      if (typeof key !== 'string') return undefined;
      if (isIndex(key)) return state.nodes[key] ? one(state.nodes[key]) : undefined;
      return part(state, key);
    },
    set: function (target, key, value) {
      var state = target.state;
      if (!isIndex(key)) { put(state, key, value); return true; }
      if (state.nodes[key]) { replace(state.nodes[key], value); return true; }
      if (!state.from) fail('there is no part ' + key);
      var parent = holder(state.from.state), made = element(query(state.from.key));
      made.parent = parent;
      parent.kids.push(made);
      state.nodes.push(made);
      replace(made, value);
      return true;
    },
    has: function (target, key) {
      if (typeof key !== 'string') return false;
      return isIndex(key) ? +key < target.state.nodes.length : looked(target.state, key).length > 0;
    },
    deleteProperty: function (target, key) {
      (isIndex(key) ? target.state.nodes.slice(+key, +key + 1) : looked(target.state, String(key))).forEach(remove);
      return true;
    },
    ownKeys: function (target) { return Object.keys(target.state.nodes); },
    getOwnPropertyDescriptor: function (target, key) {
      if (isIndex(String(key)) && target.state.nodes[key]) return { value: one(target.state.nodes[key]), writable: true, enumerable: true, configurable: true };
    },
    getPrototypeOf: function () { return Object.prototype; },
    apply: function (target, _, parts) { return target.method.apply(target.of, parts); }
  };
  // `x.name` is children, `x.name()` a method: what may be either can be called.
  function value(state, method, of) {
    // An arrow has no parts that stay.
    var target = method ? Object.assign(() => undefined, { method: method, of: of }) : {};
    target.state = state;
    var made = new Proxy(target, handler);
    states.set(made, state);
    return made;
  }
  function list(nodes) { return value({ nodes: nodes }); }
  function one(node) { return value({ nodes: [node] }); }
  function part(state, key) {
    return value({ nodes: looked(state, key), from: { state: state, key: key } }, methodOf(key), state);
  }

  function equal(a, b) {
    if (a.kind !== b.kind || a.local !== b.local || a.uri !== b.uri || a.text !== b.text) return false;
    if (a.kind !== 'element') return true;
    return a.attributes.length === b.attributes.length && a.kids.length === b.kids.length &&
      a.attributes.every(function (x) { return b.attributes.some(function (y) { return equal(x, y); }); }) &&
      a.kids.every(function (x, at) { return equal(x, b.kids[at]); });
  }
  function same(left, right) {
    var a = stateOf(left), b = stateOf(right);
    if (!a && !b) return left == right;
    if (!a) return same(right, left);
    if (right === undefined) return a.nodes.length === 0;
    if (right === null) return false;
    if (!b) return allSimple(a) && (typeof right === 'number' || typeof right === 'boolean' ? asText(a) == right : asText(a) === String(right));
    if (a.nodes.length === 1 && b.nodes.length === 1 && (isSimple(a.nodes[0]) && b.nodes[0].kind !== 'element' || isSimple(b.nodes[0]) && a.nodes[0].kind !== 'element')) {
      return asText(a) === asText(b);
    }
    return a.nodes.length === b.nodes.length && a.nodes.every(function (node, at) { return equal(node, b.nodes[at]); });
  }

  function read(given) {
    var state = stateOf(given);
    if (state) return state.nodes;
    return given === undefined || given === null || String(given).trim() === '' ? [] : parsed(String(given));
  }
  function XML(given) {
    var nodes = read(given);
    if (nodes.length > 1) fail('XML is one value: use XMLList');
    var node = nodes.length === 0 ? textNode('') : nodes[0];
    return one(new.target && stateOf(given) ? copied(node, null) : node);
  }
  function XMLList(given) { return list(read(given)); }
  [XML, XMLList].forEach(function (kind) {
    Object.defineProperty(kind, Symbol.hasInstance, { value: function (other) { return stateOf(other) !== undefined; } });
  });
  function Namespace(prefix, uri) {
    var space = new.target ? this : Object.create(Namespace.prototype);
    space.prefix = uri === undefined ? (prefix && prefix.prefix) : prefix;
    space.uri = String(uri === undefined ? prefix === undefined ? '' : prefix : uri);
    return space;
  }
  Namespace.prototype.toString = function () { return this.uri; };
  function QName(space, local) {
    var name = new.target ? this : Object.create(QName.prototype), alone = local === undefined ? query(String(space)) : null;
    name.uri = alone ? alone.uri : space === null ? null : String(space);
    name.localName = alone ? alone.local : String(local);
    return name;
  }
  QName.prototype.toString = function () {
    return this.uri === null ? '*::' + this.localName : this.uri === '' ? this.localName : this.uri + '::' + this.localName;
  };

  var names = {
    XML: XML, XMLList: XMLList, Namespace: Namespace, QName: QName,
    __xmlName: function (space, key) { return key[0] === '@' ? '@{' + space + '}' + key.slice(1) : '{' + space + '}' + key; },
    __xmlSame: same,
    __xmlAdd: function (a, b) {
      var x = stateOf(a), y = stateOf(b);
      return x && y ? list(x.nodes.concat(y.nodes)) : a + b;
    },
    __xmlText: function (given) { var state = stateOf(given); return state ? asXml(state) : escaped(String(given)); },
    __xmlQuoted: function (given) { return '"' + quoted(String(given)) + '"'; }
  };
  Object.keys(names).forEach(function (name) {
    Object.defineProperty(globalThis, name, { value: names[name], writable: true, configurable: true });
  });
}

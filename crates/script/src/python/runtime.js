// What Python's operators, values and modules do. Whole numbers are numbers, others are `Fraction`s, since `/` of
// two whole numbers is whole; texts are texts, of bytes too.
void 0, function (host) {
  'use strict';
  class Fraction { constructor(value) { this.value = value; } }
  class Dict { constructor() { this.keys = new Map(); this.values = new Map(); } }
  class Module { constructor(name, parts) { this.name = name; this.parts = parts; } }
  class Failure extends Error {
    constructor(kind, text) { super(text); this.kind = kind; this.name = kind; }
  }
  const TUPLE = Symbol('tuple'), DEFINED = Symbol('function');
  const own = Object.prototype.hasOwnProperty;
  const fail = (kind, text) => { throw new Failure(kind, text); };
  const isText = (v) => typeof v === 'string', isList = (v) => Array.isArray(v);
  const isNumber = (v) => typeof v === 'number' || v instanceof Fraction || typeof v === 'boolean';
  const number = (v) => v instanceof Fraction ? v.value : Number(v);
  const tuple = (items) => Object.defineProperty(items, TUPLE, { value: true });

  function kind(v) {
    if (v === null || v === undefined) return 'NoneType';
    if (isText(v)) return 'str';
    if (typeof v === 'boolean') return 'bool';
    if (typeof v === 'number') return 'int';
    if (v instanceof Fraction) return 'float';
    if (isList(v)) return v[TUPLE] ? 'tuple' : 'list';
    if (v instanceof Dict) return 'dict';
    if (v instanceof Module) return 'module';
    return typeof v === 'function' ? 'function' : 'object';
  }
  function whole(v) { return typeof v === 'boolean' ? Number(v) : typeof v === 'number' ? v : fail('TypeError', 'a whole number is needed, not ' + kind(v)); }
  function result(a, b, value) {
    if (a instanceof Fraction || b instanceof Fraction) return new Fraction(value);
    return Number.isSafeInteger(value) ? value : fail('OverflowError', 'the number is too large');
  }
  function bothNumbers(a, b, sign) {
    if (!isNumber(a) || !isNumber(b)) fail('TypeError', 'unsupported operand type(s) for ' + sign + ": '" + kind(a) + "' and '" + kind(b) + "'");
  }
  function key(v) {
    if (isNumber(v)) return 'n' + number(v);
    if (isText(v)) return 's' + v;
    if (v === null || v === undefined) return 'N';
    if (isList(v) && v[TUPLE]) return 't' + v.map(key).map((k) => k.length + ':' + k).join('');
    return fail('TypeError', 'unhashable type: ' + kind(v));
  }
  function put(dict, k, value) { const at = key(k); dict.keys.set(at, k); dict.values.set(at, value); }
  function dictionary(pairs) { const made = new Dict(); pairs.forEach((pair) => put(made, pair[0], pair[1])); return made; }

  function quoted(text) {
    const mark = text.includes("'") && !text.includes('"') ? '"' : "'";
    return mark + text.replace(/\\/g, '\\\\').replace(/\n/g, '\\n').replace(/\r/g, '\\r').replace(/\t/g, '\\t').split(mark).join('\\' + mark) + mark;
  }
  function shownFraction(value) {
    if (Number.isInteger(value) && Math.abs(value) < 1e16) return value.toFixed(1);
    return String(value).replace('Infinity', 'inf').replace('NaN', 'nan').replace(/e\+?(-?)(\d)$/, 'e$10$2');
  }
  function repr(v) {
    if (isText(v)) return quoted(v);
    if (isList(v)) return v[TUPLE] ? '(' + v.map(repr).join(', ') + (v.length === 1 ? ',)' : ')') : '[' + v.map(repr).join(', ') + ']';
    if (v instanceof Dict) return '{' + [...v.values].map((pair) => repr(v.keys.get(pair[0])) + ': ' + repr(pair[1])).join(', ') + '}';
    return str(v);
  }
  function str(v) {
    if (isText(v)) return v;
    if (v === null || v === undefined) return 'None';
    if (v === true) return 'True';
    if (v === false) return 'False';
    if (v instanceof Fraction) return shownFraction(v.value);
    if (v instanceof Failure) return v.message;
    return isList(v) || v instanceof Dict ? repr(v) : String(v);
  }
  function truth(v) {
    if (v === null || v === undefined) return false;
    if (isText(v) || isList(v)) return v.length > 0;
    if (v instanceof Dict) return v.values.size > 0;
    return isNumber(v) ? number(v) !== 0 : true;
  }
  function equal(a, b) {
    if (isNumber(a) && isNumber(b)) return number(a) === number(b);
    if (isList(a) && isList(b)) return !!a[TUPLE] === !!b[TUPLE] && a.length === b.length && a.every((item, at) => equal(item, b[at]));
    if (a instanceof Dict && b instanceof Dict) {
      return a.values.size === b.values.size && [...a.values].every((pair) => b.values.has(pair[0]) && equal(pair[1], b.values.get(pair[0])));
    }
    return (a === undefined ? null : a) === (b === undefined ? null : b);
  }
  function compare(a, b) {
    if (isNumber(a) && isNumber(b)) return number(a) - number(b);
    if (isText(a) && isText(b)) return a < b ? -1 : a > b ? 1 : 0;
    if (isList(a) && isList(b)) {
      for (let at = 0; at < Math.min(a.length, b.length); at++) if (!equal(a[at], b[at])) return compare(a[at], b[at]);
      return a.length - b.length;
    }
    // Values of different kinds have an order in Python 2: that of nothing, numbers, then names of kinds.
    const rank = (v) => v === null || v === undefined ? '' : isNumber(v) ? '0' : kind(v);
    return rank(a) < rank(b) ? -1 : rank(a) > rank(b) ? 1 : 0;
  }
  function each(v) {
    if (isText(v)) return [...v];
    if (isList(v)) return v;
    if (v instanceof Dict) return [...v.keys.values()];
    return fail('TypeError', "'" + kind(v) + "' object is not iterable");
  }
  function isIn(item, all) {
    if (isText(all)) return isText(item) ? all.includes(item) : fail('TypeError', "'in <string>' requires string as left operand, not " + kind(item));
    if (all instanceof Dict) return all.values.has(key(item));
    return each(all).some((one) => equal(one, item));
  }
  function place(list, index) {
    const at = whole(index), from = at < 0 ? at + list.length : at;
    return from >= 0 && from < list.length ? from : fail('IndexError', kind(list) + ' index out of range');
  }
  function mod(a, b) {
    if (isText(a)) return format(a, b);
    bothNumbers(a, b, '%');
    const by = number(b), left = number(a) % by;
    if (by === 0) fail('ZeroDivisionError', 'integer division or modulo by zero');
    return result(a, b, left !== 0 && (left < 0) !== (by < 0) ? left + by : left);
  }
  function format(text, given) {
    const values = isList(given) && given[TUPLE] ? given : [given];
    let next = 0;
    const take = () => next < values.length ? values[next++] : fail('TypeError', 'not enough arguments for format string');
    const made = text.replace(/%(?:\((\w+)\))?([-+0 #]*)(\d+)?(?:\.(\d+))?([a-zA-Z%])/g, (all, name, flags, width, places, type) => {
      if (type === '%') return '%';
      const value = name !== undefined ? $.item(given, name) : take();
      let shown;
      if (type === 's') shown = str(value);
      else if (type === 'r') shown = repr(value);
      else if (type === 'd' || type === 'i') shown = String(Math.trunc(number(isNumber(value) ? value : fail('TypeError', '%d format: a number is required, not ' + kind(value)))));
      else if (type === 'x' || type === 'X') shown = whole(value).toString(16);
      else if (type === 'f') shown = number(value).toFixed(places === undefined ? 6 : Number(places));
      else fail('ValueError', "unsupported format character '" + type + "'");
      if (type === 'X') shown = shown.toUpperCase();
      if (type === 's' && places !== undefined) shown = shown.slice(0, Number(places));
      if (flags.includes('+') && type !== 's' && type !== 'r' && !shown.startsWith('-')) shown = '+' + shown;
      if (width === undefined) return shown;
      if (flags.includes('-')) return shown.padEnd(Number(width));
      if (!flags.includes('0') || type === 's') return shown.padStart(Number(width));
      const sign = /^[-+]/.test(shown) ? shown[0] : '';
      return sign + shown.slice(sign.length).padStart(Number(width) - sign.length, '0');
    });
    return name_free(text) && next < values.length && !(given instanceof Dict) ? fail('TypeError', 'not all arguments converted during string formatting') : made;
  }
  const name_free = (text) => !/%\(/.test(text);

  // Bytes are texts of characters up to 255; what is UTF-8 is shown as what it says.
  const utf8 = (text) => unescape(encodeURIComponent(text));
  function readable(bytes) { try { return decodeURIComponent(escape(bytes)); } catch (_) { return bytes; } }
  const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
  function encode64(text) {
    const bytes = utf8(text);
    let out = '';
    for (let at = 0; at < bytes.length; at += 3) {
      const three = bytes.charCodeAt(at) << 16 | (bytes.charCodeAt(at + 1) || 0) << 8 | (bytes.charCodeAt(at + 2) || 0);
      for (let part = 0; part < 4; part++) {
        out += at + part > bytes.length ? '=' : DIGITS[three >> 18 - 6 * part & 63];
      }
    }
    return out;
  }
  function decode64(text) {
    const clean = text.replace(/[^A-Za-z0-9+/]/g, '');
    if (clean.length % 4 === 1 || (/=/.test(text) ? text.replace(/\s/g, '').length % 4 !== 0 : clean.length % 4 !== 0)) fail('TypeError', 'Incorrect padding');
    let out = '';
    for (let at = 0; at < clean.length; at += 4) {
      const four = [0, 1, 2, 3].map((part) => DIGITS.indexOf(clean[at + part] || 'A'));
      const three = four[0] << 18 | four[1] << 12 | four[2] << 6 | four[3], count = Math.min(clean.length - at, 4) - 1;
      for (let part = 0; part < count; part++) out += String.fromCharCode(three >> 16 - 8 * part & 255);
    }
    return readable(out);
  }
  const needText = (v) => isText(v) ? v : fail('TypeError', 'a text is needed, not ' + kind(v));
  const quote = (text, safe) => [...utf8(needText(text))].map((c) => /[A-Za-z0-9_.-]/.test(c) || safe.includes(c) ? c : '%' + c.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')).join('');
  const unquote = (text) => readable(utf8(text).replace(/%([0-9A-Fa-f]{2})/g, (_, hex) => String.fromCharCode(parseInt(hex, 16))));

  function fromJson(v) {
    if (isList(v)) return v.map(fromJson);
    if (typeof v === 'number') return Number.isSafeInteger(v) ? v : new Fraction(v);
    return v !== null && typeof v === 'object' ? dictionary(Object.keys(v).map((name) => [name, fromJson(v[name])])) : v;
  }
  function toJson(v) {
    if (v instanceof Fraction) return v.value;
    if (isList(v)) return v.map(toJson);
    if (!(v instanceof Dict)) return v === undefined ? null : v;
    const made = {};
    v.values.forEach((value, at) => { made[str(v.keys.get(at))] = toJson(value); });
    return made;
  }
  // Python parts with a blank where JSON.stringify has none.
  function dumps(v) {
    if (isList(v)) return '[' + v.map(dumps).join(', ') + ']';
    if (v !== null && typeof v === 'object') return '{' + Object.keys(v).map((name) => JSON.stringify(name) + ': ' + dumps(v[name])).join(', ') + '}';
    return JSON.stringify(v);
  }

  function split(url) {
    const parts = /^(?:([A-Za-z][\w+.-]*):)?(?:\/\/([^/?#]*))?([^?#]*)(?:\?([^#]*))?(?:#(.*))?$/.exec(needText(url)) || [];
    return [1, 2, 3, 4, 5].map((at) => parts[at] || '');
  }
  function unsplit(parts) {
    const [scheme, place, path, query, fragment] = each(parts);
    return (scheme ? scheme + ':' : '') + (place ? '//' + place + (path && path[0] !== '/' ? '/' : '') : '') + path + (query ? '?' + query : '') + (fragment ? '#' + fragment : '');
  }
  function parsed(url) {
    const [scheme, place, path, query, fragment] = split(url), at = path.indexOf(';');
    return tuple([scheme, place, at < 0 ? path : path.slice(0, at), at < 0 ? '' : path.slice(at + 1), query, fragment]);
  }
  const URL_PARTS = { scheme: 0, netloc: 1, path: 2, params: 3, query: 4, fragment: 5 };

  function pattern(text, flags) {
    try {
      return new RegExp(needText(text).replace(/\(\?P</g, '(?<').replace(/\(\?P=(\w+)\)/g, '\\k<$1>').replace(/\\Z/g, '$').replace(/\\A/g, '^'), flags);
    } catch (error) { return fail('error', error.message); }
  }
  function matched(found) {
    if (!found) return null;
    return new Module('match', {
      group: (at) => { const part = at === undefined ? found[0] : isText(at) ? (found.groups || {})[at] : found[at]; return part === undefined ? null : part; },
      groups: () => tuple(found.slice(1).map((part) => part === undefined ? null : part)),
      start: () => found.index, end: () => found.index + found[0].length
    });
  }
  const replacement = (text) => needText(text).replace(/\$/g, '$$$$').replace(/\\g<(\w+)>/g, (_, name) => /^\d+$/.test(name) ? '$' + name : '$<' + name + '>').replace(/\\(\d)/g, '$$$1');
  const bits = (flags) => (flags & 2 ? 'i' : '') + (flags & 8 ? 'm' : '') + (flags & 16 ? 's' : '');
  const expressions = {
    I: 2, IGNORECASE: 2, M: 8, MULTILINE: 8, S: 16, DOTALL: 16,
    search: (p, text, flags) => matched(pattern(p, bits(flags)).exec(needText(text))),
    match: (p, text, flags) => matched(pattern('^(?:' + p + ')', bits(flags)).exec(needText(text))),
    findall: (p, text, flags) => [...needText(text).matchAll(pattern(p, 'g' + bits(flags)))].map((m) => m.length === 1 ? m[0] : m.length === 2 ? m[1] || '' : tuple(m.slice(1).map((part) => part || ''))),
    sub: (p, by, text) => needText(text).replace(pattern(p, 'g'), replacement(by)),
    split: (p, text) => needText(text).split(pattern(p, '')),
    escape: (text) => needText(text).replace(/[^A-Za-z0-9_]/g, '\\$&')
  };
  expressions.compile = (p, flags) => new Module('pattern', Object.fromEntries(['search', 'match', 'findall', 'sub', 'split'].map((name) => [name, (...rest) => name === 'sub' || name === 'split' ? expressions[name](p, ...rest) : expressions[name](p, rest[0], flags)])));

  function digest(algorithm) {
    return (first) => {
      let all = first === undefined ? '' : needText(first);
      return new Module(algorithm, { update: (more) => { all += needText(more); return null; }, hexdigest: () => host.hash(algorithm, all, 'Hex') });
    };
  }
  const rounded = (f) => (v) => new Fraction(f(number(v)));
  const json = { loads: (text) => { try { return fromJson(JSON.parse(needText(text))); } catch (error) { return error instanceof Failure ? fail(error.kind, error.message) : fail('ValueError', 'No JSON object could be decoded'); } }, dumps: (v) => dumps(toJson(v)) };
  const urls = { quote: (text, safe) => quote(text, safe === undefined ? '/' : safe), quote_plus: (text) => quote(text, ' ').replace(/ /g, '+'), unquote, unquote_plus: (text) => unquote(needText(text).replace(/\+/g, ' ')) };
  urls.urlencode = (pairs) => (pairs instanceof Dict ? [...pairs.values].map((pair) => [pairs.keys.get(pair[0]), pair[1]]) : each(pairs)).map((pair) => urls.quote_plus(str(pair[0])) + '=' + urls.quote_plus(str(pair[1]))).join('&');
  const modules = {
    base64: {
      b64encode: (text) => encode64(needText(text)), b64decode: (text) => decode64(needText(text)),
      standard_b64encode: (text) => encode64(needText(text)), standard_b64decode: (text) => decode64(needText(text)),
      encodestring: (text) => encode64(needText(text)) + '\n', decodestring: (text) => decode64(needText(text)),
      urlsafe_b64encode: (text) => encode64(needText(text)).replace(/\+/g, '-').replace(/\//g, '_'),
      urlsafe_b64decode: (text) => decode64(needText(text).replace(/-/g, '+').replace(/_/g, '/'))
    },
    hashlib: { md5: digest('md5'), sha1: digest('sha1'), sha256: digest('sha256'), sha512: digest('sha512') },
    json, simplejson: json, re: expressions, urllib: urls,
    math: { pi: new Fraction(Math.PI), floor: rounded(Math.floor), ceil: rounded(Math.ceil), sqrt: rounded(Math.sqrt), pow: (a, b) => new Fraction(Math.pow(number(a), number(b))) },
    string: { digits: '0123456789', ascii_letters: 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ', join: (all, by) => $.call($.attribute(by === undefined ? ' ' : by, 'join'), [all]) },
    time: { time: () => new Fraction(Date.now() / 1000) },
    urlparse: { urlparse: parsed, urlsplit: (url) => tuple(split(url)), urlunsplit: unsplit, urlunparse: (parts) => { const [a, b, c, d, e, f] = each(parts); return unsplit([a, b, d ? c + ';' + d : c, e, f]); }, parse_qs: (query) => { const made = new Dict(); needText(query).split('&').forEach((pair) => { const [name, value] = pair.split('='); if (value) { const at = urls.unquote_plus(name); put(made, at, (made.values.get(key(at)) || []).concat([urls.unquote_plus(value)])); } }); return made; }, urljoin: (base, url) => { const [scheme, place, path] = split(base), [s, p, to, q, f] = split(url); return s ? url : unsplit([scheme, p || place, p || to[0] === '/' ? to : path.replace(/[^/]*$/, '') + to, q, f]); } }
  };

  function edges(text, chars, left, right) {
    const drop = chars === undefined || chars === null ? /\s/ : { test: (c) => chars.includes(c) };
    let from = 0, to = text.length;
    while (left && from < to && drop.test(text[from])) from++;
    while (right && to > from && drop.test(text[to - 1])) to--;
    return text.slice(from, to);
  }
  function parts(text, by, most) {
    const pieces = by === undefined || by === null ? edges(text, null, true, true).split(/\s+/).filter((part) => part !== '') : by === '' ? fail('ValueError', 'empty separator') : text.split(by);
    if (most === undefined || most < 0 || pieces.length <= most + 1) return pieces;
    return pieces.slice(0, most).concat([pieces.slice(most).join(by === undefined || by === null ? ' ' : by)]);
  }
  const flags = (test) => (text) => text.length > 0 && test.test(text);
  const texts = {
    split: parts, strip: (t, c) => edges(t, c, true, true), lstrip: (t, c) => edges(t, c, true, false), rstrip: (t, c) => edges(t, c, false, true),
    rsplit: (t, by, most) => { const all = parts(t, by); return most === undefined || all.length <= most + 1 ? all : [all.slice(0, all.length - most).join(by || ' ')].concat(all.slice(all.length - most)); },
    splitlines: (t) => t.replace(/\r?\n$/, '').split(/\r?\n/), upper: (t) => t.toUpperCase(), lower: (t) => t.toLowerCase(),
    capitalize: (t) => t.slice(0, 1).toUpperCase() + t.slice(1).toLowerCase(), title: (t) => t.toLowerCase().replace(/[a-z]+/g, (w) => w[0].toUpperCase() + w.slice(1)),
    replace: (t, a, b, most) => { const all = t.split(a); return most === undefined ? all.join(b) : all.slice(0, most + 1).join(b) + all.slice(most + 1).map((part) => a + part).join(''); },
    startswith: (t, a) => isList(a) ? a.some((one) => t.startsWith(one)) : t.startsWith(a), endswith: (t, a) => isList(a) ? a.some((one) => t.endsWith(one)) : t.endsWith(a),
    find: (t, a, from) => t.indexOf(a, from), rfind: (t, a) => t.lastIndexOf(a), count: (t, a) => t.split(a).length - 1,
    index: (t, a) => t.includes(a) ? t.indexOf(a) : fail('ValueError', 'substring not found'),
    join: (t, all) => each(all).map((one) => isText(one) ? one : fail('TypeError', 'sequence item: expected string, ' + kind(one) + ' found')).join(t),
    encode: (t, how) => how === 'base64' ? encode64(t) + '\n' : how === 'hex' ? [...utf8(t)].map((c) => c.charCodeAt(0).toString(16).padStart(2, '0')).join('') : t,
    decode: (t, how) => how === 'base64' ? decode64(t) : how === 'hex' ? readable(t.replace(/../g, (h) => String.fromCharCode(parseInt(h, 16)))) : t,
    isdigit: flags(/^[0-9]+$/), isalpha: flags(/^[A-Za-z]+$/), isalnum: flags(/^[A-Za-z0-9]+$/), isspace: flags(/^\s+$/),
    isupper: (t) => t !== t.toLowerCase() && t === t.toUpperCase(), islower: (t) => t !== t.toUpperCase() && t === t.toLowerCase(),
    zfill: (t, n) => t.padStart(n, '0'), ljust: (t, n, c) => t.padEnd(n, c), rjust: (t, n, c) => t.padStart(n, c),
    partition: (t, by) => { const at = t.indexOf(by); return tuple(at < 0 ? [t, '', ''] : [t.slice(0, at), by, t.slice(at + by.length)]); },
    format: (t, ...values) => { let next = 0; return t.replace(/\{\{|\}\}|\{(\d*)\}/g, (all, at) => all === '{{' ? '{' : all === '}}' ? '}' : str(values[at === '' ? next++ : Number(at)])); }
  };
  const lists = {
    append: (l, v) => { l.push(v); return null; }, extend: (l, more) => { each(more).slice().forEach((v) => l.push(v)); return null; },
    insert: (l, at, v) => { l.splice(at, 0, v); return null; }, reverse: (l) => { l.reverse(); return null; }, sort: (l) => { l.sort(compare); return null; },
    pop: (l, at) => l.length === 0 ? fail('IndexError', 'pop from empty list') : l.splice(place(l, at === undefined ? -1 : at), 1)[0],
    remove: (l, v) => { const at = l.findIndex((one) => equal(one, v)); if (at < 0) fail('ValueError', 'list.remove(x): x not in list'); l.splice(at, 1); return null; },
    index: (l, v) => { const at = l.findIndex((one) => equal(one, v)); return at < 0 ? fail('ValueError', repr(v) + ' is not in list') : at; },
    count: (l, v) => l.filter((one) => equal(one, v)).length
  };
  const dicts = {
    get: (d, k, otherwise) => d.values.has(key(k)) ? d.values.get(key(k)) : otherwise === undefined ? null : otherwise,
    has_key: (d, k) => d.values.has(key(k)), keys: (d) => [...d.keys.values()], values: (d) => [...d.values.values()],
    items: (d) => [...d.values].map((pair) => tuple([d.keys.get(pair[0]), pair[1]])), update: (d, more) => { more.values.forEach((v, at) => put(d, more.keys.get(at), v)); return null; },
    setdefault: (d, k, v) => { if (!d.values.has(key(k))) put(d, k, v === undefined ? null : v); return d.values.get(key(k)); },
    pop: (d, k, otherwise) => { const found = d.values.has(key(k)) ? d.values.get(key(k)) : otherwise === undefined ? fail('KeyError', repr(k)) : otherwise; d.values.delete(key(k)); d.keys.delete(key(k)); return found; }
  };
  dicts.iteritems = dicts.items; dicts.iterkeys = dicts.keys; dicts.itervalues = dicts.values;

  // Variables of the exchange, as Python sees them and back.
  function fromHost(v) {
    if (v === null || v === undefined) return null;
    if (typeof v === 'number') return Number.isSafeInteger(v) ? v : new Fraction(v);
    return typeof v === 'boolean' || isText(v) ? v : String(v);
  }
  const toHost = (v) => v instanceof Fraction ? v.value : v === null || typeof v === 'number' || typeof v === 'boolean' ? v : str(v);
  function variables(prefix) {
    return new Module(prefix || 'flow', {
      getVariable: (name) => fromHost(context.getVariable(prefix + str(name))),
      setVariable: (name, value) => { context.setVariable(prefix + str(name), toHost(value)); return null; },
      removeVariable: (name) => { context.removeVariable(prefix + str(name)); return null; }
    });
  }
  const errors = {};
  ['Exception', 'StandardError', 'ValueError', 'TypeError', 'KeyError', 'IndexError', 'AttributeError', 'NameError', 'ZeroDivisionError', 'RuntimeError', 'OverflowError', 'NotImplementedError'].forEach((name) => {
    errors[name] = Object.assign((text) => new Failure(name, text === undefined ? '' : str(text)), { kind: name });
  });
  function range(from, to, step) {
    if (to === undefined) { to = from; from = 0; }
    const by = step === undefined ? 1 : whole(step), made = [];
    if (by === 0) fail('ValueError', 'range() step argument must not be zero');
    for (let at = whole(from); by > 0 ? at < whole(to) : at > whole(to); at += by) made.push(at);
    return made;
  }
  function int(v, base) {
    if (v === undefined) return 0;
    if (isNumber(v)) return Math.trunc(number(v));
    const text = needText(v).trim(), valid = base === 16 ? /^[-+]?(0x)?[0-9a-f]+$/i : /^[-+]?[0-9]+[lL]?$/;
    return valid.test(text) ? parseInt(text, base === undefined ? 10 : base) : fail('ValueError', "invalid literal for int() with base 10: " + repr(v));
  }
  function float(v) {
    if (isNumber(v)) return new Fraction(number(v));
    return /^\s*[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?\s*$/i.test(needText(v)) ? new Fraction(Number(v)) : fail('ValueError', 'could not convert string to float: ' + v);
  }
  const best = (wins) => (...all) => { const from = all.length === 1 ? each(all[0]) : all; return from.length === 0 ? fail('ValueError', 'the sequence is empty') : from.reduce((a, b) => wins(compare(b, a)) ? b : a); };
  const builtins = Object.assign({
    flow: variables(''), request: variables('request.'), response: variables('response.'), message: variables('message.'),
    str: (v) => v === undefined ? '' : str(v), unicode: (v) => v === undefined ? '' : str(v), repr, int, long: int, float, bool: (v) => truth(v),
    len: (v) => v instanceof Dict ? v.values.size : isText(v) || isList(v) ? v.length : fail('TypeError', "object of type '" + kind(v) + "' has no len()"),
    range, xrange: range, abs: (v) => v instanceof Fraction ? new Fraction(Math.abs(v.value)) : Math.abs(whole(v)), min: best((c) => c < 0), max: best((c) => c > 0),
    sum: (all) => each(all).reduce((a, b) => $.add(a, b), 0), round: (v, places) => { const by = Math.pow(10, places || 0); return new Fraction(Math.round(number(v) * by) / by); },
    list: (v) => v === undefined ? [] : each(v).slice(), tuple: (v) => tuple(v === undefined ? [] : each(v).slice()), dict: (v) => v === undefined ? new Dict() : v instanceof Dict ? dictionary(dicts.items(v)) : dictionary(each(v)),
    sorted: (v) => each(v).slice().sort(compare), reversed: (v) => each(v).slice().reverse(), enumerate: (v) => each(v).map((one, at) => tuple([at, one])),
    zip: (...all) => range(Math.min(...all.map((one) => each(one).length))).map((at) => tuple(all.map((one) => each(one)[at]))),
    map: (f, v) => each(v).map((one) => $.call(f, [one])), filter: (f, v) => each(v).filter((one) => truth(f === null ? one : $.call(f, [one]))),
    any: (v) => each(v).some(truth), all: (v) => each(v).every(truth), chr: (v) => String.fromCharCode(whole(v)), unichr: (v) => String.fromCharCode(whole(v)), ord: (v) => v.codePointAt(0), hex: (v) => '0x' + whole(v).toString(16),
    isinstance: (v, type) => (isList(type) ? type : [type]).some((one) => [kind(v), kind(v) === 'str' ? 'basestring' : '', kind(v) === 'str' ? 'unicode' : '', kind(v) === 'int' ? 'long' : ''].some((name) => name && builtins[name] === one)),
    basestring: (v) => str(v)
  }, errors);

  const $ = {
    t: truth, tuple, dictionary, each, fraction: (v) => new Fraction(v), eq: equal, ne: (a, b) => !equal(a, b), isIn, notIn: (a, b) => !isIn(a, b),
    same: (a, b) => a === null || b === null ? (a === undefined ? null : a) === (b === undefined ? null : b) : isNumber(a) || isText(a) ? equal(a, b) : a === b, isNot: (a, b) => !$.same(a, b),
    lt: (a, b) => compare(a, b) < 0, gt: (a, b) => compare(a, b) > 0, le: (a, b) => compare(a, b) <= 0, ge: (a, b) => compare(a, b) >= 0,
    either: (a, b) => truth(a) ? a : b(), both: (a, b) => truth(a) ? b() : a, mod,
    add: (a, b) => {
      if (isText(a) && isText(b)) return a + b;
      if (isText(a) || isText(b)) fail('TypeError', isText(a) ? "cannot concatenate 'str' and '" + kind(b) + "' objects" : "unsupported operand type(s) for +: '" + kind(a) + "' and 'str'");
      if (isList(a) && isList(b)) return a[TUPLE] ? tuple(a.concat(b)) : a.concat(b);
      bothNumbers(a, b, '+');
      return result(a, b, number(a) + number(b));
    },
    sub: (a, b) => { bothNumbers(a, b, '-'); return result(a, b, number(a) - number(b)); },
    mul: (a, b) => {
      if (isText(a) && isNumber(b)) return a.repeat(Math.max(0, whole(b)));
      if (isList(a) && isNumber(b)) return range(whole(b)).reduce((all) => all.concat(a), []);
      if (isNumber(a) && (isText(b) || isList(b))) return $.mul(b, a);
      bothNumbers(a, b, '*');
      return result(a, b, number(a) * number(b));
    },
    div: (a, b) => {
      bothNumbers(a, b, '/');
      if (number(b) === 0) fail('ZeroDivisionError', 'integer division or modulo by zero');
      return a instanceof Fraction || b instanceof Fraction ? new Fraction(number(a) / number(b)) : Math.floor(number(a) / number(b));
    },
    floor: (a, b) => { const v = $.div(a, b); return v instanceof Fraction ? new Fraction(Math.floor(v.value)) : v; },
    pow: (a, b) => { bothNumbers(a, b, '**'); return number(b) < 0 ? new Fraction(Math.pow(number(a), number(b))) : result(a, b, Math.pow(number(a), number(b))); },
    or: (a, b) => whole(a) | whole(b), and: (a, b) => whole(a) & whole(b), xor: (a, b) => whole(a) ^ whole(b), shl: (a, b) => whole(a) * Math.pow(2, whole(b)), shr: (a, b) => Math.floor(whole(a) / Math.pow(2, whole(b))),
    item: (v, at) => {
      if (v instanceof Dict) return v.values.has(key(at)) ? v.values.get(key(at)) : fail('KeyError', repr(at));
      return isText(v) || isList(v) ? v[place(v, at)] : fail('TypeError', "'" + kind(v) + "' object is not subscriptable");
    },
    put: (v, at, value) => {
      if (v instanceof Dict) put(v, at, value);
      else if (isList(v) && !v[TUPLE]) v[place(v, at)] = value;
      else fail('TypeError', "'" + kind(v) + "' object does not support item assignment");
    },
    remove: (v, at) => { if (v instanceof Dict) dicts.pop(v, at); else lists.pop(v, at); },
    putAttribute: (v, name) => fail('AttributeError', "'" + kind(v) + "' object has no attribute '" + name + "'"),
    slice: (v, from, to, step) => {
      if (!isText(v) && !isList(v)) fail('TypeError', "'" + kind(v) + "' object is not subscriptable");
      let made = v.slice(from === null ? 0 : whole(from), to === null ? v.length : whole(to));
      if (step !== undefined && step !== null) {
        const by = whole(step), all = isText(made) ? [...made] : made;
        if (by < 0 && (from !== null || to !== null) || by === 0) fail('ValueError', 'this slice step is not supported');
        const picked = (by < 0 ? all.slice().reverse() : all).filter((_, at) => at % Math.abs(by) === 0);
        made = isText(v) ? picked.join('') : picked;
      }
      return isList(v) && v[TUPLE] ? tuple(made) : made;
    },
    attribute: (v, name) => {
      if (v instanceof Module) return own.call(v.parts, name) ? v.parts[name] : fail('AttributeError', "'" + v.name + "' has no attribute '" + name + "'");
      if (v instanceof Failure && name === 'message') return v.message;
      if (isList(v) && v[TUPLE] && own.call(URL_PARTS, name)) { const at = URL_PARTS[name]; return v[v.length === 5 && at > 3 ? at - 1 : at]; }
      const all = isText(v) ? texts : isList(v) ? lists : v instanceof Dict ? dicts : {};
      if (!own.call(all, name)) fail('AttributeError', "'" + kind(v) + "' object has no attribute '" + name + "'");
      return (...rest) => all[name](v, ...rest);
    },
    def: (f) => Object.defineProperty(f, DEFINED, { value: f.length }),
    call: (f, positional, named) => {
      if (typeof f !== 'function') fail('TypeError', "'" + kind(f) + "' object is not callable");
      if (named !== undefined) fail('TypeError', 'arguments by name are not supported');
      if (f[DEFINED] !== undefined && positional.length < f[DEFINED]) fail('TypeError', 'the function takes more arguments (' + positional.length + ' given)');
      const value = f(...positional);
      return value === undefined ? null : value;
    },
    unpack: (v, count) => { const all = each(v); return all.length === count ? all : fail('ValueError', all.length < count ? 'need more than ' + all.length + ' values to unpack' : 'too many values to unpack'); },
    print: (all) => { print(all.map(str).join(' ')); },
    module: (name) => new Module(name, modules[name]),
    builtin: (name) => own.call(builtins, name) ? builtins[name] : undefined,
    known: (v, name) => v === undefined ? fail('NameError', "name '" + name + "' is not defined") : v,
    raise: (kindOf, text) => { throw typeof kindOf === 'function' ? kindOf(text === null ? undefined : text) : kindOf instanceof Failure ? kindOf : new Failure('Exception', str(kindOf)); },
    catches: (error, kinds) => {
      // What ends a run (time, memory) is nobody's to catch; it does not come by here.
      const name = error instanceof Failure ? error.kind : 'RuntimeError';
      return (isList(kinds) ? kinds : [kinds]).some((one) => one && (one.kind === name || one.kind === 'Exception' || one.kind === 'StandardError'));
    },
    caught: (error) => error instanceof Failure ? error : new Failure('RuntimeError', String(error && error.message || error))
  };
  Object.defineProperty(globalThis, '__python', { value: Object.freeze($), configurable: true });
}

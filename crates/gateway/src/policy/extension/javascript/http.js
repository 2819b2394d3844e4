// Calls that a script makes itself.
void 0, function (host) {
  'use strict';
  var pending = [];   // calls whose callback has not run
  var exchanges = {};
  var text = host.text;

  function answer(parts) {
    var headers = {}, parsed = {}, names = {};
    for (var i = 4; i < parts.length; i += 2) {
      var name = names[parts[i].toLowerCase()] = names[parts[i].toLowerCase()] || parts[i];
      (headers[name] = headers[name] || []).push(parts[i + 1]);
    }
    Object.keys(headers).forEach(function (name) { headers[name] = host.several(headers[name]); });
    var content = host.body(parts[3], function (kind, body) {
      return parsed[kind] = parsed[kind] || host.parse(kind, body);
    });
    var status = new Number(parts[1]);
    host.hidden(status, 'code', Number(parts[1]));
    host.hidden(status, 'message', parts[2]);
    return {
      headers: new Proxy(headers, {
        get: function (_, name) { return headers[typeof name === 'string' && names[name.toLowerCase()] || name]; }
      }),
      status: status, content: content, body: content
    };
  }

  host.exchange = function (id) {
    if (exchanges[id]) return exchanges[id];
    var made;
    function ended(how) { var end = host.outcome(id); return end !== null && (!how || end[0] === how) ? end : null; }
    var object = {
      waitForComplete: function (millis) { host.wait(id, millis === undefined ? null : Number(millis)); },
      isComplete: function () { return ended() !== null; },
      isSuccess: function () { return ended('answer') !== null; },
      isError: function () { return ended('error') !== null; },
      getError: function () { return ended('error') ? ended('error')[1] : undefined; },
      getResponse: function () {
        var end = made ? null : ended('answer');
        return made = end ? answer(end) : made;
      }
    };
    return exchanges[id] = host.hidden(object, '$exchange', id);
  };

  function Request(url, method, headers, content) {
    this.url = url;
    this.method = method || 'GET';
    this.headers = headers || {};
    this.body = content === undefined || content === null ? '' : content;
  }
  var httpClient = {
    send: function (request, callback) {
      var headers = [];
      for (var name in request.headers) {
        (host.list(request.headers[name]) || []).forEach(function (value) { headers.push(name, value); });
      }
      var sent = host.exchange(host.send(text(request.url), text(request.method) || 'GET', headers, text(request.body)));
      if (typeof callback === 'function') pending.push({ sent: sent, callback: callback });
      return sent;
    },
    get: function (url, callback) { return httpClient.send(new Request(url), callback); }
  };
  host.ends.unshift(function () {
    while (pending.length > 0) {
      var one = pending.shift();
      one.sent.waitForComplete();
      one.callback(one.sent.getResponse(), one.sent.getError());
    }
  });
  host.hidden(globalThis, 'httpClient', httpClient);
  host.hidden(globalThis, 'Request', Request);
}

function transform(text) {
  var order = JSON.parse(text);
  var total = 0;
  var lines = order.lines.filter(function (line) { return line.quantity > 0; }).map(function (line) {
    var sum = Math.round(line.quantity * line.price * 100) / 100;
    total += sum;
    return { sku: line.sku.trim().toUpperCase(), name: line.name.replace(/\s+/g, ' '), sum: sum };
  });
  var date = order.created.split('T')[0].split('-');
  return JSON.stringify({
    id: order.id,
    customer: order.customer.name,
    year: Number(date[0]),
    tags: order.tags.filter(function (tag) { return tag.charAt(0) !== '_'; }),
    lines: lines,
    total: Math.round(total * 100) / 100
  });
}

function head(r) {
  delete r.headersOut['Content-Length'];
}

function body(r, data, flags) {
  r.whole = (r.whole || '') + data;
  if (flags.last) {
    r.sendBuffer(transform(r.whole), flags);
  }
}

export default { head, body };

var order = JSON.parse(context.getVariable('response.content'));
var total = 0;
var lines = order.lines.filter(function (line) { return line.quantity > 0; }).map(function (line) {
  var sum = Math.round(line.quantity * line.price * 100) / 100;
  total += sum;
  return { sku: line.sku.trim().toUpperCase(), name: line.name.replace(/\s+/g, ' '), sum: sum };
});
var date = order.created.split('T')[0].split('-');
context.setVariable('response.content', JSON.stringify({
  id: order.id,
  customer: order.customer.name,
  year: Number(date[0]),
  tags: order.tags.filter(function (tag) { return tag.charAt(0) !== '_'; }),
  lines: lines,
  total: Math.round(total * 100) / 100
}));

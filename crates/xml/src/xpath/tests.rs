mod axes;
mod functions;
mod grammar;
mod hostile;

mod catalogue;
mod door;
mod instances;
mod oauth;

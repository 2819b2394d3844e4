mod catalogue;
mod door;
mod files;
mod google;
mod instances;
mod moved;
mod oauth;

//! Query and form parameters: ordered, repeatable, percent-decoded.

use form_urlencoded::Serializer;

/// Decoded name–value pairs in their order. Names are case-sensitive.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Params(Vec<(String, String)>);

impl Params {
    /// Reads `a=1&b=2`; never fails.
    pub fn parse(raw: &[u8]) -> Self {
        Self(form_urlencoded::parse(raw).into_owned().collect())
    }

    /// Every value of `name`, in order.
    pub fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> + 'a {
        self.0.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The distinct names, in order of their first use.
    pub fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        for (key, _) in &self.0 {
            if !names.contains(&key.as_str()) {
                names.push(key);
            }
        }
        names
    }

    /// All pairs.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value.as_str()))
    }

    /// Replaces every value of `name` by one, in the place of the first.
    pub fn set(&mut self, name: &str, value: String) {
        let mut value = Some(value);
        self.0.retain_mut(|(key, old)| {
            if key != name {
                return true;
            }
            value.take().is_some_and(|new| {
                *old = new;
                true
            })
        });
        if let Some(value) = value {
            self.0.push((name.to_owned(), value));
        }
    }

    /// Appends one more value.
    pub fn add(&mut self, name: &str, value: String) {
        self.0.push((name.to_owned(), value));
    }

    /// Removes every value of `name`.
    pub fn remove(&mut self, name: &str) {
        self.0.retain(|(key, _)| key != name);
    }

    /// Removes the `index`-th value of `name`, counted from 1.
    pub fn remove_nth(&mut self, name: &str, index: usize) {
        let mut seen = 0;
        self.0.retain(|(key, _)| {
            if key == name {
                seen += 1;
            }
            key != name || seen != index
        });
    }

    /// Removes everything.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// Written as `a=1&b=2`, percent-encoded.
    pub fn to_text(&self) -> String {
        let mut out = Serializer::new(String::new());
        out.extend_pairs(self.iter());
        out.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn setting_replaces_all_values_in_the_place_of_the_first() {
        let mut params = Params::parse(b"a=1&b=2&a=3");

        params.set("a", "x y".into());
        params.set("c", "4".into());

        assert_eq!(params.to_text(), "a=x+y&b=2&c=4");
        assert_eq!(params.names(), ["a", "b", "c"]);
    }

    #[test]
    fn one_of_several_values_can_be_removed() {
        let mut params = Params::parse(b"a=1&b=2&a=3");
        params.remove_nth("a", 2);
        assert_eq!(params.to_text(), "a=1&b=2");
    }
}

//! Numbers in words of a format token: `1`, `01`, `a`, `A`, `i`, `I` (XSLT 1.0, 7.7.1).

/// A format of several numbers: what stands around and between them.
#[derive(Debug)]
pub(super) struct NumberFormat {
    before: String,
    /// Tokens, each with what stands before it.
    tokens: Vec<(String, String)>,
    after: String,
    /// Separator and how many digits it parts.
    pub(super) group: Option<(String, usize)>,
}

impl NumberFormat {
    pub(super) fn new(format: &str) -> Self {
        let mut tokens: Vec<(String, String)> = Vec::new();
        let (mut punctuation, mut token) = (String::new(), String::new());
        for c in format.chars() {
            if c.is_alphanumeric() {
                token.push(c);
            } else {
                if !token.is_empty() {
                    tokens.push((std::mem::take(&mut punctuation), std::mem::take(&mut token)));
                }
                punctuation.push(c);
            }
        }
        let after = match token.is_empty() {
            true if tokens.is_empty() => String::new(),
            true => std::mem::take(&mut punctuation),
            false => {
                tokens.push((std::mem::take(&mut punctuation), token));
                String::new()
            }
        };
        let before = match tokens.first_mut() {
            Some((before, _)) => std::mem::take(before),
            None => {
                tokens.push((String::new(), "1".to_owned()));
                punctuation
            }
        };
        Self { before, tokens, after, group: None }
    }

    pub(super) fn write(&self, numbers: &[u64]) -> String {
        let mut out = self.before.clone();
        for (index, number) in numbers.iter().enumerate() {
            let (separator, token) =
                self.tokens.get(index).or(self.tokens.last()).map_or(("", "1"), |(s, t)| (s, t));
            if index > 0 {
                // The separator of the first token went to the front; a full stop is the default.
                out.push_str(if separator.is_empty() { "." } else { separator });
            }
            out.push_str(&self.number(*number, token));
        }
        out.push_str(&self.after);
        out
    }

    fn number(&self, number: u64, token: &str) -> String {
        match token {
            "a" | "A" if number > 0 => letters(number, token == "A"),
            "i" | "I" if (1..4000).contains(&number) => roman(number, token == "I"),
            _ => {
                let width = if token.ends_with('1') && token[..token.len() - 1].bytes().all(|b| b == b'0') {
                    token.len()
                } else {
                    1
                };
                self.grouped(format!("{number:0width$}"))
            }
        }
    }

    fn grouped(&self, digits: String) -> String {
        let Some((separator, size)) = self.group.as_ref().filter(|(_, size)| *size > 0) else {
            return digits;
        };
        let mut out = String::new();
        for (index, digit) in digits.chars().enumerate() {
            if index > 0 && (digits.len() - index).is_multiple_of(*size) {
                out.push_str(separator);
            }
            out.push(digit);
        }
        out
    }
}

fn letters(mut number: u64, upper: bool) -> String {
    let mut out = Vec::new();
    while number > 0 {
        number -= 1;
        let letter = u8::try_from(number % 26).unwrap_or(0);
        out.push(char::from(if upper { b'A' } else { b'a' } + letter));
        number /= 26;
    }
    out.iter().rev().collect()
}

fn roman(mut number: u64, upper: bool) -> String {
    const SIGNS: &[(u64, &str)] = &[
        (1000, "m"),
        (900, "cm"),
        (500, "d"),
        (400, "cd"),
        (100, "c"),
        (90, "xc"),
        (50, "l"),
        (40, "xl"),
        (10, "x"),
        (9, "ix"),
        (5, "v"),
        (4, "iv"),
        (1, "i"),
    ];
    let mut out = String::new();
    for (value, sign) in SIGNS {
        while number >= *value {
            out.push_str(sign);
            number -= value;
        }
    }
    if upper { out.to_uppercase() } else { out }
}

//! Words of the query language.

use super::BadQuery;

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    /// An identifier or keyword; `exact` when it stood in back-ticks.
    Word {
        text: String,
        exact: bool,
    },
    Text(String),
    Number(f64),
    Sign(&'static str),
}

/// A token and the character it starts at, from 1.
pub(super) type Placed = (usize, Token);

const MAX_CHARS: usize = 16_384;

pub(super) fn tokens(text: &str) -> Result<Vec<Placed>, BadQuery> {
    const SIGNS: &[&str] = &["!=", "<>", "<=", ">=", "=", "<", ">", "(", ")", ","];
    let chars: Vec<char> = text.chars().collect();
    if chars.len() > MAX_CHARS {
        return Err(BadQuery {
            at: MAX_CHARS,
            message: format!("a query has at most {MAX_CHARS} characters"),
        });
    }
    let (mut found, mut at) = (Vec::new(), 0);
    while let Some(&first) = chars.get(at) {
        let start = at + 1;
        let token = match first {
            c if c.is_whitespace() => {
                at += 1;
                continue;
            }
            '\'' | '‘' | '’' => Token::Text(quoted(&chars, &mut at, &['\'', '‘', '’'])?),
            '"' | '“' | '”' => Token::Text(quoted(&chars, &mut at, &['"', '“', '”'])?),
            '`' => Token::Word { text: quoted(&chars, &mut at, &['`'])?, exact: true },
            c if c.is_ascii_digit() || (c == '-' && chars.get(at + 1).is_some_and(char::is_ascii_digit)) => {
                let number = run(&chars, &mut at, |c| c.is_ascii_alphanumeric() || "+-.".contains(c));
                let parsed: Option<f64> = number.parse().ok();
                let number = parsed.filter(|number| number.is_finite());
                Token::Number(
                    number.ok_or_else(|| BadQuery { at: start, message: "a number was expected".into() })?,
                )
            }
            c if is_word(c) => Token::Word { text: run(&chars, &mut at, is_word), exact: false },
            _ => {
                let ahead: String = chars[at..].iter().take(2).collect();
                let sign = SIGNS.iter().find(|sign| ahead.starts_with(**sign));
                let message = || BadQuery { at: start, message: format!("unexpected character {first}") };
                let sign = sign.ok_or_else(message)?;
                at += sign.len();
                Token::Sign(if *sign == "<>" { "!=" } else { sign })
            }
        };
        found.push((start, token));
    }
    Ok(found)
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '.' | '$' | '-' | '[' | ']' | '*' | '@' | ':')
}

fn run(chars: &[char], at: &mut usize, belongs: impl Fn(char) -> bool) -> String {
    let text: String = chars[*at..].iter().take_while(|c| belongs(**c)).collect();
    *at += text.chars().count();
    text
}

/// Text up to a closing quote; the quote twice stands for itself.
fn quoted(chars: &[char], at: &mut usize, quotes: &[char]) -> Result<String, BadQuery> {
    let start = *at + 1;
    *at += 1;
    let mut text = String::new();
    loop {
        let Some(&c) = chars.get(*at) else {
            return Err(BadQuery { at: start, message: "the quoted text does not end,".into() });
        };
        *at += 1;
        if !quotes.contains(&c) {
            text.push(c);
        } else if chars.get(*at) == Some(&c) {
            *at += 1;
            text.push(c);
        } else {
            return Ok(text);
        }
    }
}

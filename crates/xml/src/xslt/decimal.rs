//! `format-number` and `xsl:decimal-format` (XSLT 1.0, 12.3; the patterns are Java's DecimalFormat of JDK 1.1).

/// The signs of a decimal format.
#[derive(Debug, Clone)]
pub(super) struct DecimalFormat {
    pub(super) decimal_separator: char,
    pub(super) grouping_separator: char,
    pub(super) infinity: Box<str>,
    pub(super) minus_sign: char,
    pub(super) nan: Box<str>,
    pub(super) percent: char,
    pub(super) per_mille: char,
    pub(super) zero_digit: char,
    pub(super) digit: char,
    pub(super) pattern_separator: char,
}

impl Default for DecimalFormat {
    fn default() -> Self {
        Self {
            decimal_separator: '.',
            grouping_separator: ',',
            infinity: "Infinity".into(),
            minus_sign: '-',
            nan: "NaN".into(),
            percent: '%',
            per_mille: '\u{2030}',
            zero_digit: '0',
            digit: '#',
            pattern_separator: ';',
        }
    }
}

/// One half of a pattern.
#[derive(Debug, Default)]
struct Picture {
    prefix: String,
    suffix: String,
    least_whole: usize,
    least_fraction: usize,
    most_fraction: usize,
    /// Digits between separators; 0 for none.
    group: usize,
    factor: f64,
}

impl DecimalFormat {
    pub(super) fn write(&self, number: f64, pattern: &str) -> Result<String, String> {
        let mut halves = pattern.split(self.pattern_separator);
        let positive = self.picture(halves.next().unwrap_or_default())?;
        let negative = halves.next().map(|half| self.picture(half)).transpose()?;
        if halves.next().is_some() {
            return Err("the pattern has more than two halves".to_owned());
        }
        if number.is_nan() {
            return Ok(self.nan.to_string());
        }
        let minus = self.minus_sign.to_string();
        let (prefix, suffix) = match (number.is_sign_negative() && number != 0.0, &negative) {
            (false, _) => (positive.prefix.clone(), &positive.suffix),
            (true, Some(negative)) => (negative.prefix.clone(), &negative.suffix),
            (true, None) => (minus + &positive.prefix, &positive.suffix),
        };
        let digits = if number.is_infinite() {
            self.infinity.to_string()
        } else {
            self.digits(number.abs() * positive.factor, &positive)
        };
        Ok(format!("{prefix}{digits}{suffix}"))
    }

    fn picture(&self, half: &str) -> Result<Picture, String> {
        let mut picture = Picture { factor: 1.0, ..Picture::default() };
        let is_active = |c: char| {
            c == self.digit
                || c == self.zero_digit
                || c == self.decimal_separator
                || c == self.grouping_separator
        };
        let begin = half.find(is_active).ok_or("the pattern has no digit")?;
        let end = half
            .rfind(is_active)
            .map_or(half.len(), |at| at + half[at..].chars().next().map_or(1, char::len_utf8));
        for (part, text) in [(&mut picture.prefix, &half[..begin]), (&mut picture.suffix, &half[end..])] {
            for c in text.chars() {
                if c == self.percent {
                    picture.factor = 100.0;
                } else if c == self.per_mille {
                    picture.factor = 1000.0;
                }
                // Java quotes what would have a meaning.
                if c != '\'' {
                    part.push(c);
                }
            }
        }
        let (mut in_fraction, mut since_group, mut digits) = (false, None, 0);
        for c in half[begin..end].chars() {
            if c == self.decimal_separator {
                if in_fraction {
                    return Err("the pattern has two decimal separators".to_owned());
                }
                in_fraction = true;
            } else if c == self.grouping_separator {
                if in_fraction {
                    return Err("the pattern groups the fraction".to_owned());
                }
                since_group = Some(0);
            } else if c == self.digit || c == self.zero_digit {
                digits += 1;
                let is_zero = c == self.zero_digit;
                if in_fraction {
                    picture.most_fraction += 1;
                    if is_zero {
                        picture.least_fraction = picture.most_fraction;
                    }
                } else {
                    since_group = since_group.map(|count| count + 1);
                    if is_zero {
                        picture.least_whole += 1;
                    } else if picture.least_whole > 0 {
                        return Err("an optional digit follows a required one".to_owned());
                    }
                }
            } else {
                return Err(format!("'{c}' stands between digits"));
            }
        }
        if digits == 0 {
            return Err("the pattern has no digit".to_owned());
        }
        picture.group = since_group.unwrap_or(0);
        Ok(picture)
    }

    /// Half goes to the even neighbour.
    fn digits(&self, number: f64, picture: &Picture) -> String {
        let exact = format!("{number:.*}", picture.most_fraction.min(300));
        let (whole, fraction) = exact.split_once('.').unwrap_or((&exact, ""));
        let whole = whole.trim_start_matches('0');
        let mut fraction = fraction.to_owned();
        while fraction.len() > picture.least_fraction && fraction.ends_with('0') {
            fraction.pop();
        }
        // Without any digit left there would be nothing to see.
        let least = if fraction.is_empty() { picture.least_whole.max(1) } else { picture.least_whole };
        let whole = format!("{}{whole}", "0".repeat(least.saturating_sub(whole.len())));
        let mut out = String::new();
        for (index, digit) in whole.chars().enumerate() {
            let left = whole.len() - index;
            if index > 0 && picture.group > 0 && left % picture.group == 0 {
                out.push(self.grouping_separator);
            }
            out.push(self.localised(digit));
        }
        if !fraction.is_empty() {
            out.push(self.decimal_separator);
            out.extend(fraction.chars().map(|digit| self.localised(digit)));
        }
        out
    }

    fn localised(&self, digit: char) -> char {
        let offset = digit.to_digit(10).unwrap_or(0);
        char::from_u32(u32::from(self.zero_digit) + offset).unwrap_or(digit)
    }
}

//! What a new password must be (open-connectors §6.4, the default policy).

use pierhead_domain::SecretString;

use crate::IdentityProblem;

const SHORTEST: usize = 8;
/// Longer ones only cost time to hash.
const LONGEST: usize = 256;

/// Whose password it is: it may not hold any of these.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Owner<'a> {
    pub(crate) first_name: &'a str,
    pub(crate) last_name: &'a str,
    pub(crate) email: &'a str,
}

/// Checks a new password; the error names the first rule that it breaks, in words that clients look for.
pub(crate) fn check(password: &SecretString, owner: Owner<'_>) -> Result<(), IdentityProblem> {
    let text = password.expose();
    let length = text.chars().count();
    let lower = text.to_lowercase();
    let local_part = owner.email.split('@').next().unwrap_or_default();
    let rules: [(bool, &str); 9] = [
        (length >= SHORTEST, "must have at least 8 characters"),
        (length <= LONGEST, "must have at most 256 characters"),
        (text.chars().any(char::is_uppercase), "must have an uppercase letter"),
        (text.chars().any(char::is_lowercase), "must have a lowercase letter"),
        (text.chars().any(char::is_numeric), "must have a numeric character"),
        (text.chars().any(|c| c.is_ascii_punctuation()), "must have a special character"),
        (!holds(&lower, owner.first_name), "must not contain the first name"),
        (!holds(&lower, owner.last_name), "must not contain the last name"),
        (!holds(&lower, local_part), "must not contain the username"),
    ];
    match rules.iter().find(|(kept, _)| !kept) {
        Some((_, rule)) => Err(IdentityProblem::field("password", *rule)),
        None => Ok(()),
    }
}

/// A single letter is in every password; it tells nothing.
fn holds(password: &str, part: &str) -> bool {
    part.chars().count() > 1 && password.contains(&part.to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn broken(password: &str) -> Option<String> {
        let owner = Owner { first_name: "Ada", last_name: "Lovelace", email: "countess@example.com" };
        check(&password.into(), owner).err().map(|why| why.to_string())
    }

    #[test]
    fn each_rule_is_named_in_the_originals_words() {
        for (password, words) in [
            ("Sh0rt!", "at least"),
            ("lower-case-1", "uppercase"),
            ("UPPER-CASE-1", "lowercase"),
            ("No-Digits-here", "numeric"),
            ("NoSymbols123", "special character"),
            ("xx-aDa-77-Xx", "first name"),
            ("xx-LOVElace-7", "last name"),
            ("xx-Countess-7", "username"),
        ] {
            let why = broken(password).unwrap();
            assert!(why.starts_with("password ") && why.contains(words), "{password}: {why}");
            assert!(!why.contains(password));
        }
        assert_eq!(broken("Correct-horse-7"), None);
        assert!(broken(&"Aa1!".repeat(65)).unwrap().contains("at most"));
    }
}

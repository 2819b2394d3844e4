//! The rules of the house that a program can check.

mod arrows;
mod files;

use anyhow::bail;

/// Checks all rules; prints every break, not only the first.
pub(crate) fn run() -> anyhow::Result<()> {
    let mut breaks = arrows::check()?;
    breaks.extend(files::check()?);
    breaks.extend(crate::policies::check()?);
    if breaks.is_empty() {
        println!("tidy: the rules of the house hold");
        return Ok(());
    }
    for rule in &breaks {
        eprintln!("tidy: {rule}");
    }
    bail!("{} rules of the house are broken", breaks.len())
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_rules_of_the_house_hold() {
        super::run().unwrap();
    }
}

//! A PDF of plain text: enough for an export that a reader opens. ISO 32000-1, one font, A4 pages.

use std::fmt::Write as _;

const LINES_A_PAGE: usize = 50;
const LETTERS_A_LINE: usize = 88;

/// A document of `text`, titled, with as many pages as it takes.
pub(crate) fn document(title: &str, text: &str) -> Vec<u8> {
    let lines: Vec<String> = text.trim_start_matches('\u{feff}').lines().flat_map(fold).collect();
    let mut pages: Vec<&[String]> = lines.chunks(LINES_A_PAGE).collect();
    if pages.is_empty() {
        pages.push(&[]);
    }
    // Objects 1 to 4 are fixed; each page adds itself and its contents.
    let kids = (0..pages.len()).map(|page| format!("{} 0 R", 5 + 2 * page)).collect::<Vec<_>>().join(" ");
    let mut objects = vec![
        "<</Type/Catalog/Pages 2 0 R>>".to_owned(),
        format!("<</Type/Pages/Kids[{kids}]/Count {}>>", pages.len()),
        "<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>".to_owned(),
        format!("<</Title({})/Producer(Pierhead sandbox)>>", literal(title)),
    ];
    for (page, lines) in pages.iter().enumerate() {
        let contents = 6 + 2 * page;
        objects.push(format!(
            "<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Resources<</Font<</F1 3 0 R>>>>/Contents {contents} 0 R>>"
        ));
        let mut stream = String::from("BT /F1 11 Tf 14 TL 56 786 Td\n");
        for line in *lines {
            // Writing to a String cannot fail.
            let _ = writeln!(stream, "({}) Tj T*", literal(line));
        }
        stream.push_str("ET");
        objects.push(format!("<</Length {}>>\nstream\n{stream}\nendstream", latin(&stream).len()));
    }
    assemble(&objects)
}

fn assemble(objects: &[String]) -> Vec<u8> {
    let mut out = b"%PDF-1.4\n%\xE2\xE3\xCF\xD3\n".to_vec();
    let mut offsets = Vec::with_capacity(objects.len());
    for (at, object) in objects.iter().enumerate() {
        offsets.push(out.len());
        out.extend(latin(&format!("{} 0 obj\n{object}\nendobj\n", at + 1)));
    }
    let start = out.len();
    let mut tail = format!("xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1);
    for offset in offsets {
        let _ = writeln!(tail, "{offset:010} 00000 n ");
    }
    let _ = write!(
        tail,
        "trailer\n<</Size {}/Root 1 0 R/Info 4 0 R>>\nstartxref\n{start}\n%%EOF\n",
        objects.len() + 1
    );
    out.extend(tail.into_bytes());
    out
}

/// Long lines are broken, so that nothing runs off the page.
fn fold(line: &str) -> Vec<String> {
    let letters: Vec<char> = line.chars().collect();
    if letters.is_empty() {
        return vec![String::new()];
    }
    letters.chunks(LETTERS_A_LINE).map(|chunk| chunk.iter().collect()).collect()
}

fn literal(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for symbol in text.chars() {
        match symbol {
            '(' | ')' | '\\' => out.extend(['\\', symbol]),
            control if control.is_control() => out.push(' '),
            other => out.push(other),
        }
    }
    out
}

/// Latin letters as single bytes, which the font's encoding has; a question mark for others.
fn latin(text: &str) -> Vec<u8> {
    text.chars().map(|symbol| u8::try_from(u32::from(symbol)).unwrap_or(b'?')).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_object_lies_where_the_table_says() {
        let text = "line (1)\nGrüße\n".repeat(60);
        let pdf = document("A \\ title", &text);
        let body: String = pdf.iter().map(|byte| char::from(*byte)).collect();
        let start: usize =
            body.rsplit_once("startxref\n").unwrap().1.lines().next().unwrap().parse().unwrap();
        let table = &body[start..];

        let offsets: Vec<usize> =
            table.lines().filter_map(|line| line.strip_suffix(" 00000 n ")?.parse().ok()).collect();

        assert!(body.starts_with("%PDF-1.4"));
        assert_eq!(offsets.len(), 4 + 2 * 3, "120 lines take three pages");
        for (at, offset) in offsets.iter().enumerate() {
            let here: String = body[..].chars().skip(*offset).take(12).collect();
            assert!(here.starts_with(&format!("{} 0 obj", at + 1)), "{here}");
        }
    }
}

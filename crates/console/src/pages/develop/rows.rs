//! Lists in a form whose rows are moved and removed by buttons, without a script.

/// Does what the pressed button says to the rows of `list`: `<list>up-2`, `<list>down-2`, `<list>remove-2`.
pub(super) fn turn<T>(rows: &mut Vec<T>, act: &str, list: &str) {
    let Some((verb, at)) = act.strip_prefix(list).and_then(|act| act.split_once('-')) else { return };
    let Some(at) = at.parse::<usize>().ok().filter(|at| *at < rows.len()) else { return };
    match verb {
        "up" if at > 0 => rows.swap(at, at - 1),
        "down" if at + 1 < rows.len() => rows.swap(at, at + 1),
        "remove" => drop(rows.remove(at)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::turn;

    #[test]
    fn a_button_moves_or_removes_one_row_of_its_own_list() {
        let after = |act: &str| {
            let mut rows = vec!['a', 'b', 'c'];
            turn(&mut rows, act, "route-");
            rows.into_iter().collect::<String>()
        };
        assert_eq!(["route-up-1", "route-down-0", "route-remove-2"].map(after), ["bac", "bac", "ab"]);
        for nothing in
            ["route-up-0", "route-down-2", "route-remove-9", "server-up-1", "save", "route-up-x", ""]
        {
            assert_eq!(after(nothing), "abc", "{nothing}");
        }
    }
}

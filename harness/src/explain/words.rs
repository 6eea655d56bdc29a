//! Lines of a story: indented, and broken where a terminal ends.

use scenario::Name;

/// Columns of a line.
const WIDTH: usize = 110;

#[derive(Default)]
pub struct Story {
    pub text: String,
}

impl Story {
    pub fn head(&mut self, head: &str) {
        self.text += &format!("\n{head}\n");
    }

    /// The rest of a long line goes on below, as far in as it began.
    pub fn say(&mut self, lead: &str, what: &str) {
        let indent = lead.chars().count();
        let (mut column, mut begun) = (indent, false);
        self.text += lead;
        for word in what.split(' ') {
            let length = word.chars().count();
            if begun && column + 1 + length > WIDTH {
                self.text += &format!("\n{:indent$}", "");
                (column, begun) = (indent, false);
            }
            if begun {
                self.text.push(' ');
                column += 1;
            }
            self.text += word;
            (column, begun) = (column + length, true);
        }
        self.text.push('\n');
    }
}

/// "a", "a and b", "a, b and c".
pub fn list(names: &[Name]) -> String {
    match names {
        [] => String::new(),
        [only] => only.to_string(),
        [most @ .., last] => {
            format!("{} and {last}", most.iter().map(Name::as_str).collect::<Vec<_>>().join(", "))
        }
    }
}

//! Policy documents: what their statements allow, as IAM and AWS IoT decide it.

use serde_json::Value as Json;

/// A policy document, resolved.
#[derive(Clone, Copy)]
pub struct Policy<'a>(pub &'a Json);

impl<'a> Policy<'a> {
    /// Whether `action` on `resource` is allowed: by one statement at least, and denied by none.
    pub fn allows(self, action: &str, resource: &str) -> bool {
        let statements = self.statements().filter(|statement| {
            one_or_many(&statement["Action"]).any(|pattern| matches(pattern, action))
                && one_or_many(&statement["Resource"]).any(|pattern| matches(pattern, resource))
        });
        let effects: Vec<_> = statements.map(|statement| &statement["Effect"]).collect();
        !effects.is_empty() && effects.iter().all(|effect| *effect == "Allow")
    }

    /// The resources that statements with `action` name.
    pub fn resources(self, action: &str) -> impl Iterator<Item = &'a str> {
        let named = move |statement: &&Json| one_or_many(&statement["Action"]).any(|known| known == action);
        self.statements().filter(named).flat_map(|statement| one_or_many(&statement["Resource"]))
    }

    /// The statements.
    pub fn statements(self) -> impl Iterator<Item = &'a Json> {
        self.0["Statement"].as_array().expect("a policy has a list of statements").iter()
    }
}

/// The texts of a value that is one text or a list of them.
pub fn one_or_many(value: &Json) -> impl Iterator<Item = &str> {
    let many = value.as_array().map_or(&[][..], Vec::as_slice);
    value.as_str().into_iter().chain(many.iter().filter_map(Json::as_str))
}

/// Whether `text` fits `pattern`, in which `*` stands for anything, `?` for one character, and `${*}` and `${?}` for
/// themselves.
pub fn matches(pattern: &str, text: &str) -> bool {
    let literal = pattern.replace("${*}", "\u{1}").replace("${?}", "\u{2}");
    let text: Vec<_> = text.replace('*', "\u{1}").replace('?', "\u{2}").chars().collect();
    fits(&literal.chars().collect::<Vec<_>>(), &text)
}

fn fits(pattern: &[char], text: &[char]) -> bool {
    match (pattern, text) {
        ([], []) => true,
        (['*', rest @ ..], _) => fits(rest, text) || (!text.is_empty() && fits(pattern, &text[1..])),
        ([first, pattern @ ..], [character, text @ ..]) => (*first == '?' || first == character) && fits(pattern, text),
        _ => false,
    }
}

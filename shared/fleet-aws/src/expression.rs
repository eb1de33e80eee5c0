//! A write of the domain in DynamoDB's expression language.

use std::collections::{BTreeSet, HashMap};

use aws_sdk_dynamodb::types::AttributeValue;
use fleet::value::Value;
use fleet::write::{Change, Condition, Write};

use crate::items::attribute;

/// The parts of an `UpdateItem`. Attributes go by placeholders, since any name may be a reserved word.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Expression {
    pub condition: String,
    pub update: Option<String>,
    pub names: HashMap<String, String>,
    /// Never empty: DynamoDB does not take that.
    pub values: Option<HashMap<String, AttributeValue>>,
}

/// Translates `write` so that it means what [`Write::apply`] means. That the row exists, or does not if the write is
/// to make it, is always a condition: every row has the attribute `hash`.
pub(crate) fn expression(write: &Write, hash: &'static str) -> Expression {
    let mut builder = Builder::default();
    let existence = if write.creates { Condition::Absent } else { Condition::Present };
    let mut conditions = vec![builder.condition(hash, &existence)];
    conditions.extend(write.conditions.iter().map(|(name, condition)| builder.condition(name, condition)));
    conditions.extend(write.changes.iter().filter_map(|(name, change)| builder.needs(name, change)));
    let clauses: Vec<_> = write.changes.iter().filter_map(|(name, change)| builder.change(name, change)).collect();
    let values = builder.values.into_iter().enumerate().map(|(at, value)| (format!(":v{at}"), value));
    Expression {
        condition: conditions.join(" AND "),
        update: update(&clauses),
        names: builder.names.iter().enumerate().map(|(at, name)| (format!("#n{at}"), (*name).to_owned())).collect(),
        values: Some(values.collect()).filter(|values: &HashMap<_, _>| !values.is_empty()),
    }
}

/// One keyword each, with its clauses behind it.
fn update(clauses: &[(&'static str, String)]) -> Option<String> {
    let of = |keyword| {
        let parts: Vec<_> = clauses.iter().filter(|(own, _)| *own == keyword).map(|(_, part)| part.as_str()).collect();
        (!parts.is_empty()).then(|| format!("{keyword} {}", parts.join(", ")))
    };
    let sections: Vec<_> = ["SET", "REMOVE", "ADD", "DELETE"].into_iter().filter_map(of).collect();
    (!sections.is_empty()).then(|| sections.join(" "))
}

#[derive(Default)]
struct Builder {
    names: Vec<&'static str>,
    values: Vec<AttributeValue>,
}

impl Builder {
    fn name(&mut self, attribute: &'static str) -> String {
        let known = self.names.iter().position(|name| *name == attribute);
        let at = known.unwrap_or_else(|| {
            self.names.push(attribute);
            self.names.len() - 1
        });
        format!("#n{at}")
    }

    fn value(&mut self, value: AttributeValue) -> String {
        self.values.push(value);
        format!(":v{}", self.values.len() - 1)
    }

    fn condition(&mut self, name: &'static str, condition: &Condition) -> String {
        let name = self.name(name);
        match condition {
            Condition::Present => format!("attribute_exists({name})"),
            Condition::Absent => format!("attribute_not_exists({name})"),
            Condition::OneOf(values) => {
                let values: Vec<_> = values.iter().map(|value| self.value(attribute(value))).collect();
                format!("{name} IN ({})", values.join(", "))
            }
            Condition::Not(value) => {
                let value = self.value(attribute(value));
                format!("(attribute_not_exists({name}) OR {name} <> {value})")
            }
            Condition::AtMost(most) => self.compared(&name, "<=", *most),
            Condition::Below(limit) => self.compared(&name, "<", *limit),
            Condition::NotStarting(prefix) => {
                let prefix = self.value(AttributeValue::S(prefix.clone()));
                format!("(attribute_not_exists({name}) OR NOT begins_with({name}, {prefix}))")
            }
        }
    }

    /// DynamoDB compares values of one type only: what is no number is neither below nor above one.
    fn compared(&mut self, name: &str, operator: &str, number: u64) -> String {
        let number = self.value(attribute(&Value::number(number)));
        format!("(attribute_not_exists({name}) OR {name} {operator} {number})")
    }

    /// What a change needs to find. As a condition, since DynamoDB would answer with a validation error otherwise,
    /// and without the row.
    fn needs(&mut self, name: &'static str, change: &Change) -> Option<String> {
        match change {
            Change::Copy(from) => Some(format!("attribute_exists({})", self.name(from))),
            Change::Add(_) => Some(self.absent_or(name, "N")),
            Change::Include(_) | Change::Exclude(_) => Some(self.absent_or(name, "SS")),
            Change::Set(_) | Change::Remove => None,
        }
    }

    fn absent_or(&mut self, name: &'static str, kind: &str) -> String {
        let name = self.name(name);
        let kind = self.value(AttributeValue::S(kind.to_owned()));
        format!("(attribute_not_exists({name}) OR attribute_type({name}, {kind}))")
    }

    fn set(&mut self, members: &BTreeSet<String>) -> String {
        self.value(AttributeValue::Ss(members.iter().cloned().collect()))
    }

    fn change(&mut self, name: &'static str, change: &Change) -> Option<(&'static str, String)> {
        // DynamoDB knows no empty set.
        if matches!(change, Change::Include(members) | Change::Exclude(members) if members.is_empty()) {
            return None;
        }
        let name = self.name(name);
        Some(match change {
            Change::Set(value) => ("SET", format!("{name} = {}", self.value(attribute(value)))),
            Change::Copy(from) => ("SET", format!("{name} = {}", self.name(from))),
            Change::Remove => ("REMOVE", name),
            Change::Add(number) => ("ADD", format!("{name} {}", self.value(AttributeValue::N(number.to_string())))),
            Change::Include(members) => ("ADD", format!("{name} {}", self.set(members))),
            Change::Exclude(members) => ("DELETE", format!("{name} {}", self.set(members))),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(write: &Write) -> String {
        let Expression { condition, update, names, values } = expression(write, "device");
        let mut names: Vec<_> = names.into_iter().collect();
        let mut values: Vec<_> =
            values.into_iter().flatten().map(|(name, value)| format!("{name} = {value:?}")).collect();
        names.sort();
        values.sort();
        let condition = condition.replace(" AND ", "\nAND ");
        format!("{condition}\n{}\n{names:?}\n{}", update.unwrap_or_default(), values.join("\n"))
    }

    #[test]
    fn a_write_without_conditions_still_never_makes_a_row() {
        insta::assert_snapshot!(shown(&Write::new()), @r##"
        attribute_exists(#n0)

        [("#n0", "device")]
        "##);
    }

    #[test]
    fn a_write_that_makes_a_row_never_changes_one() {
        assert!(shown(&Write::create().set("a", 1)).starts_with("attribute_not_exists(#n0)\n"));
    }

    #[test]
    fn every_condition_has_its_expression() {
        let write = Write::new()
            .when_one_of("a", vec![false.into(), "false".into()])
            .when_present("b")
            .when_absent("c")
            .unless("d", "x")
            .when_at_most("e", 1)
            .when_below("f", 2)
            .unless_starting("g", "p");
        insta::assert_snapshot!(shown(&write), @r##"
        attribute_exists(#n0)
        AND #n1 IN (:v0, :v1)
        AND attribute_exists(#n2)
        AND attribute_not_exists(#n3)
        AND (attribute_not_exists(#n4) OR #n4 <> :v2)
        AND (attribute_not_exists(#n5) OR #n5 <= :v3)
        AND (attribute_not_exists(#n6) OR #n6 < :v4)
        AND (attribute_not_exists(#n7) OR NOT begins_with(#n7, :v5))

        [("#n0", "device"), ("#n1", "a"), ("#n2", "b"), ("#n3", "c"), ("#n4", "d"), ("#n5", "e"), ("#n6", "f"), ("#n7", "g")]
        :v0 = Bool(false)
        :v1 = S("false")
        :v2 = S("x")
        :v3 = N("1")
        :v4 = N("2")
        :v5 = S("p")
        "##);
    }

    #[test]
    fn every_change_has_its_clause_and_what_it_needs_to_find() {
        let write = Write::new()
            .set("a", 1)
            .copy("b", "c")
            .remove("c")
            .add("d", -1)
            .include("e", ["x"])
            .exclude("f", BTreeSet::from(["x".to_owned()]))
            .exclude("g", BTreeSet::new());
        insta::assert_snapshot!(shown(&write), @r##"
        attribute_exists(#n0)
        AND attribute_exists(#n1)
        AND (attribute_not_exists(#n2) OR attribute_type(#n2, :v0))
        AND (attribute_not_exists(#n3) OR attribute_type(#n3, :v1))
        AND (attribute_not_exists(#n4) OR attribute_type(#n4, :v2))
        AND (attribute_not_exists(#n5) OR attribute_type(#n5, :v3))
        SET #n6 = :v4, #n7 = #n1 REMOVE #n1 ADD #n2 :v5, #n3 :v6 DELETE #n4 :v7
        [("#n0", "device"), ("#n1", "c"), ("#n2", "d"), ("#n3", "e"), ("#n4", "f"), ("#n5", "g"), ("#n6", "a"), ("#n7", "b")]
        :v0 = S("N")
        :v1 = S("SS")
        :v2 = S("SS")
        :v3 = S("SS")
        :v4 = N("1")
        :v5 = N("-1")
        :v6 = Ss(["x"])
        :v7 = Ss(["x"])
        "##);
    }
}

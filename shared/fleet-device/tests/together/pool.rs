//! Large values by small numbers: equal ones have the same.

use std::collections::HashMap;
use std::hash::Hash;
use std::ops::Index;
use std::rc::Rc;

pub struct Pool<T> {
    numbers: HashMap<Rc<T>, u32>,
    values: Vec<Rc<T>>,
}

impl<T> Default for Pool<T> {
    fn default() -> Self {
        Self { numbers: HashMap::new(), values: Vec::new() }
    }
}

impl<T: Hash + Eq> Pool<T> {
    pub fn number(&mut self, value: T) -> u32 {
        if let Some(number) = self.numbers.get(&value) {
            return *number;
        }
        let (value, number) = (Rc::new(value), u32::try_from(self.values.len()).unwrap());
        self.values.push(Rc::clone(&value));
        self.numbers.insert(value, number);
        number
    }
}

impl<T> Pool<T> {
    pub fn get(&self, number: u32) -> Rc<T> {
        Rc::clone(&self.values[number as usize])
    }

    pub fn len(&self) -> usize {
        self.values.len()
    }
}

impl<T> Index<u32> for Pool<T> {
    type Output = T;

    fn index(&self, number: u32) -> &T {
        &self.values[number as usize]
    }
}

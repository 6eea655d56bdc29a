//! A source file as the planting sees it: its text, and where in it functions, constants, macros and tests are.

use proc_macro2::{TokenStream, TokenTree};
use std::ops::Range;
use syn::{
    Attribute, Block, ExprAsync, ExprClosure, FnArg, ImplItemConst, ImplItemFn, Item, ItemConst, ItemFn, ItemImpl,
    Macro, Pat, Signature, TraitItemConst, TraitItemFn, TypeImplTrait, Visibility,
    spanned::Spanned,
    visit::{self, Visit},
};

pub struct Source {
    pub text: String,
    /// The outermost ones: what is inside a function belongs to it.
    pub functions: Vec<Function>,
    pub constants: Vec<Constant>,
    /// Calls and definitions of macros outside functions.
    pub macros: Vec<Range<usize>>,
    /// The parts that are compiled for tests alone.
    pub tests: Vec<Range<usize>>,
}

pub struct Function {
    pub name: String,
    /// With its braces.
    pub body: Range<usize>,
    /// The name of its first parameter.
    pub first_parameter: Option<String>,
    pub is_const: bool,
    /// Whether its type has an `impl` in it, which is one type whatever is planted.
    pub has_hidden_type: bool,
    /// The outermost closures' bodies and async blocks in it.
    pub inner: Vec<Range<usize>>,
}

pub struct Constant {
    pub name: String,
    pub item: Range<usize>,
    /// In a trait or in its implementation, where no other constant may stand beside it.
    pub is_of_trait: bool,
    /// Whether nothing outside its module can name it.
    pub is_private: bool,
}

impl Source {
    pub fn parse(text: String) -> syn::Result<Self> {
        let file = syn::parse_file(&text)?;
        let mut found =
            Self { text, functions: Vec::new(), constants: Vec::new(), macros: Vec::new(), tests: Vec::new() };
        found.visit_file(&file);
        Ok(found)
    }

    pub fn line_of(&self, at: usize) -> usize {
        line_of(&self.text, at)
    }

    /// The places of the name as a word of the program: not in a comment, not in a text.
    pub fn words(&self, name: &str) -> Vec<Range<usize>> {
        words(&self.text, name)
    }

    fn add(&mut self, attributes: &[Attribute], signature: &Signature, body: &Block, whole: Range<usize>) {
        if is_for_tests(attributes) {
            self.tests.push(whole);
            return;
        }
        let mut hidden = Hidden(false);
        hidden.visit_return_type(&signature.output);
        let mut inner = Inner(Vec::new());
        inner.visit_block(body);
        let first_parameter = signature.inputs.first().and_then(|input| match input {
            FnArg::Typed(typed) => match &*typed.pat {
                Pat::Ident(pattern) => Some(pattern.ident.to_string()),
                _ => None,
            },
            FnArg::Receiver(_) => None,
        });
        self.functions.push(Function {
            name: signature.ident.to_string(),
            body: body.brace_token.span.join().byte_range(),
            first_parameter,
            is_const: signature.constness.is_some(),
            has_hidden_type: hidden.0,
            inner: inner.0,
        });
    }
}

pub fn line_of(text: &str, at: usize) -> usize {
    text[..at].matches('\n').count() + 1
}

/// The places of identifiers in a piece of Rust, macros' arguments included.
pub fn words(text: &str, name: &str) -> Vec<Range<usize>> {
    fn walk(tokens: TokenStream, name: &str, found: &mut Vec<Range<usize>>) {
        for token in tokens {
            match token {
                TokenTree::Ident(word) if word == name => found.push(word.span().byte_range()),
                TokenTree::Group(group) => walk(group.stream(), name, found),
                _ => {}
            }
        }
    }
    let mut found = Vec::new();
    if let Ok(tokens) = text.parse() {
        walk(tokens, name, &mut found);
    }
    found
}

/// `#[cfg(test)]` and `#[test]`, with whatever stands beside `test`.
fn is_for_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let path = attribute.path();
        let cfg = path.is_ident("cfg")
            && attribute.meta.require_list().is_ok_and(|list| {
                let words: Vec<_> = list.tokens.clone().into_iter().map(|token| token.to_string()).collect();
                words == ["test"]
            });
        cfg || path.segments.last().is_some_and(|last| last.ident == "test")
    })
}

impl<'ast> Visit<'ast> for Source {
    fn visit_item(&mut self, item: &'ast Item) {
        let attributes: &[Attribute] = match item {
            Item::Mod(module) => &module.attrs,
            Item::Impl(block) => &block.attrs,
            _ => &[],
        };
        if is_for_tests(attributes) {
            self.tests.push(item.span().byte_range());
        } else {
            visit::visit_item(self, item);
        }
    }

    fn visit_item_fn(&mut self, function: &'ast ItemFn) {
        self.add(&function.attrs, &function.sig, &function.block, function.span().byte_range());
    }

    fn visit_impl_item_fn(&mut self, function: &'ast ImplItemFn) {
        self.add(&function.attrs, &function.sig, &function.block, function.span().byte_range());
    }

    fn visit_trait_item_fn(&mut self, function: &'ast TraitItemFn) {
        if let Some(body) = &function.default {
            self.add(&function.attrs, &function.sig, body, function.span().byte_range());
        }
    }

    fn visit_item_const(&mut self, constant: &'ast ItemConst) {
        let (name, item) = (constant.ident.to_string(), constant.span().byte_range());
        let is_private = matches!(constant.vis, Visibility::Inherited);
        self.constants.push(Constant { name, item, is_of_trait: false, is_private });
    }

    fn visit_item_impl(&mut self, block: &'ast ItemImpl) {
        let before = self.constants.len();
        visit::visit_item_impl(self, block);
        for constant in &mut self.constants[before..] {
            constant.is_of_trait = block.trait_.is_some();
        }
    }

    fn visit_impl_item_const(&mut self, constant: &'ast ImplItemConst) {
        let (name, item) = (constant.ident.to_string(), constant.span().byte_range());
        self.constants.push(Constant { name, item, is_of_trait: false, is_private: false });
    }

    fn visit_trait_item_const(&mut self, constant: &'ast TraitItemConst) {
        let (name, item) = (constant.ident.to_string(), constant.span().byte_range());
        self.constants.push(Constant { name, item, is_of_trait: true, is_private: false });
    }

    fn visit_macro(&mut self, called: &'ast Macro) {
        self.macros.push(called.span().byte_range());
    }
}

struct Hidden(bool);

impl Visit<'_> for Hidden {
    fn visit_type_impl_trait(&mut self, _: &TypeImplTrait) {
        self.0 = true;
    }
}

struct Inner(Vec<Range<usize>>);

impl<'ast> Visit<'ast> for Inner {
    fn visit_expr_closure(&mut self, closure: &'ast ExprClosure) {
        self.0.push(closure.body.span().byte_range());
    }

    fn visit_expr_async(&mut self, block: &'ast ExprAsync) {
        self.0.push(block.block.brace_token.span.join().byte_range());
    }

    // An item inside has its own types, and its closures are not the function's.
    fn visit_item(&mut self, _: &'ast Item) {}
}

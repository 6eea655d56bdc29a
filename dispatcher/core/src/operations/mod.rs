//! Whoever runs the deployment: what lets them in, what there is to ask, and the questions to where events are kept. The answers are
//! made there, outside of the dispatcher.

pub mod question;
pub mod resource;
pub mod token;

//! Whoever runs the deployment, and what they ask of what was kept: the questions to the telemetry's store, and the errands of the
//! clock. The answers are made where the events are, outside of the dispatcher.

pub mod question;

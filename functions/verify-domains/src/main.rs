//! The Lambda function; all it does is in the library beside it.

use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use vestibule::{
    app::App,
    domain::{ClaimQueue, Resolver},
};
use vestibule_verify_domains::{Failures, Verifier, Wake};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let app = App::from_env().await?;
    let (resolver, queue) = (Resolver::from_env()?.into(), ClaimQueue::from_env().await?);
    let verifier = Verifier { app, resolver, queue };
    let handle = async |event: LambdaEvent<Wake>| Ok::<Failures, Error>(verifier.handle(event.payload).await?);
    run(service_fn(handle)).await
}

//! The Lambda function; all it does is in the library beside it.

use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use vestibule::{app::App, mail::Sender};
use vestibule_mailer::{Mailer, Wake};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let mailer = Mailer { app: App::from_env().await?, sender: Sender::from_env().await? };
    run(service_fn(async |event: LambdaEvent<Wake>| Ok::<(), Error>(mailer.handle(event.payload).await?))).await
}

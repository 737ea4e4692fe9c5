//! The Lambda function; all it does is in the library beside it.

use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use vestibule::app::App;
use vestibule_refresh_metadata::{Refresher, Wake};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let refresher = Refresher::new(App::from_env().await?);
    run(service_fn(async |event: LambdaEvent<Wake>| Ok::<(), Error>(refresher.handle(event.payload).await?))).await
}

//! The Lambda function, behind a function URL whose answers stream; all it does is in the library beside it.

use lambda_http::{Error, run_with_streaming_response};
use vestibule::{app::App, web};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let app = App::from_env().await?;
    run_with_streaming_response(vestibule_downloads::router(app).fallback(web::not_found)).await
}

//! The Lambda function; all it does is in the library beside it.

use lambda_http::{Error, run};
use vestibule::{app::App, web};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let app = App::from_env().await?;
    run(vestibule_oidc::router(app).fallback(web::not_found)).await
}

"""python3-saml (xmlsec, lxml) on the responses of tests/benches/saml.rs: python3_saml.py DIRECTORY NAME..."""

import base64
import pathlib
import sys
import time

from onelogin.saml2.response import OneLogin_Saml2_Response
from onelogin.saml2.settings import OneLogin_Saml2_Settings

directory = pathlib.Path(sys.argv[1])
POST = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"
REDIRECT = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"
request = {"https": "on", "http_host": "sp.example.com", "script_name": "/acs", "get_data": {}, "post_data": {}}


def bare(pem):
    return "".join(line for line in pem.read_text().splitlines() if not line.startswith("-"))


for name in sys.argv[2:]:
    settings = OneLogin_Saml2_Settings(
        {
            "strict": True,
            "sp": {
                "entityId": "https://sp.example.com/metadata",
                "assertionConsumerService": {"url": "https://sp.example.com/acs", "binding": POST},
                "x509cert": bare(directory / "idp.pem"),
                "privateKey": bare(directory / "sp-key.pem"),
            },
            "idp": {
                "entityId": "https://idp.example.com/saml",
                "singleSignOnService": {"url": "https://idp.example.com/sso", "binding": REDIRECT},
                "x509cert": bare(directory / "idp.pem"),
            },
            "security": {
                "wantMessagesSigned": not name.startswith("entra"),
                "wantAssertionsSigned": not name.startswith("google"),
                "wantNameId": True,
            },
        },
        sp_validation_only=False,
    )
    form = base64.b64encode((directory / f"{name}.xml").read_bytes()).decode()
    best = float("inf")
    for _ in range(60):
        began = time.perf_counter()
        for _ in range(5):
            response = OneLogin_Saml2_Response(settings, form)
            if not response.is_valid(request, "_request"):
                sys.exit(f"{name}: {response.get_error()}")
            assert response.get_nameid() == "ada@corp.example"
        best = min(best, (time.perf_counter() - began) / 5)
    print(f"{name} {best * 1e6:.1f}")

from tests.auth.helpers import authenticate

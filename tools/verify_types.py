"""How complete the public types are, as the second type checker sees them: all, or it is an error."""

import json
import os
import subprocess
import sys
from pathlib import Path


def main() -> int:
    environment = Path(sys.executable).parent
    done = subprocess.run(
        [environment / "basedpyright", "--verifytypes", "enrolpolicy", "--ignoreexternal", "--outputjson"],
        # The checker looks for packages beside the first `python` on the path.
        env={**os.environ, "PATH": f"{environment}{os.pathsep}{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )
    report = json.loads(done.stdout)["typeCompleteness"]
    ours = [symbol for symbol in report["symbols"] if symbol["isExported"]]
    partly = [symbol["name"] for symbol in ours if not symbol["isTypeKnown"] or symbol["isTypeAmbiguous"]]
    print(f"{len(ours) - len(partly)} of {len(ours)} public symbols have a complete type")
    for name in partly:
        print(f"  not: {name}")
    return 1 if partly or not ours else 0


if __name__ == "__main__":
    sys.exit(main())

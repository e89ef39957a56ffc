"""Write the log of an invented company as a CSV file: headlines, how they did, and why they might have done so anyway.

Concrete offers do well by themselves. But what is popular anyway gets vague and loud headlines, so that in the log these
seem to do well. 20 % of the rows are of an experiment, in which the headline was drawn at random.

    python examples/headlines/make.py out/headlines.csv
"""

import sys
from pathlib import Path

from leucippus.training.deconfound.simulated import draw

out = Path(sys.argv[1])
out.parent.mkdir(parents=True, exist_ok=True)
draw(entanglement=0.7, n=8000, seed=0, users=1000, pool=800).write(out)

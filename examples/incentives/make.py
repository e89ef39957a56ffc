"""Write the data of Thornton (2008), The demand for, and impact of, learning HIV status, Am. Econ. Rev. 98, as a CSV file.

They come from the package causaldata (MIT): 4,820 people in rural Malawi, of whom 2,894 drew a token with a sum of money
for fetching the result of their HIV test.

    python examples/incentives/make.py out/incentives.csv
"""

import sys

from causaldata import thornton_hiv

thornton_hiv.load_pandas().data.to_csv(sys.argv[1], index=False)

"""HTTP only: routes, wire schemas, the page. How anything is computed lives below."""

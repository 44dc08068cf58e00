// Swagger UI with our own description of the API. Our server has all its files.
SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#swagger",
  deepLinking: true,
  docExpansion: "list",
  defaultModelsExpandDepth: 0,
  tryItOutEnabled: true,
  validatorUrl: null,
  displayRequestDuration: true,
  requestInterceptor(request) {
    request.headers["X-Kit-Token"] = document.querySelector('meta[name="kit-token"]').content;
    return request;
  },
});

let chosen = null;
try { chosen = localStorage.getItem("theme"); } catch { /* storage may be forbidden */ }
const dark = chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
document.documentElement.classList.toggle("dark-mode", dark);

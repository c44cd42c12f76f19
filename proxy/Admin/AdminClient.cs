using System.Net;
using System.Net.Http.Headers;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Breakwater.Proxy.Settings;

namespace Breakwater.Proxy.Admin;

/// <summary>Calls the running Breakwater of this host by its admin port; for commands. Paths are below <c>/api/v1/</c>.</summary>
internal sealed class AdminClient : IDisposable
{
    private const string AsWhom = "Run this as the user of the service (or root), on the server's host and with its settings.";

    private readonly HttpClient _http;
    private readonly BreakwaterSettings _settings;
    private readonly string? _tokenMissing;
    private readonly string _prefix;
    private Uri _found;

    /// <summary>Finds address and token by the settings.</summary>
    /// <param name="settings">Of the Breakwater of this host.</param>
    /// <param name="node">Another node of the site, that the Breakwater of this host asks for us; null: itself.</param>
    /// <exception cref="AdminException">There is no admin port.</exception>
    public AdminClient(BreakwaterSettings settings, string? node = null)
    {
        _prefix = node is null ? "" : $"cluster/at/{Uri.EscapeDataString(node)}/";
        _settings = settings;
        _found = Find() ?? throw new AdminException(settings.Admin.Listen.Length == 0
            ? "Admin:Listen is empty: this Breakwater has no admin port. Set it, for example to 127.0.0.1:9128."
            : $"No Breakwater runs on the store {settings.Store.Path}. Start one with 'breakwater serve', or name its settings with "
            + $"--settings.");
        var handler = new SocketsHttpHandler { UseProxy = false };
        handler.SslOptions.RemoteCertificateValidationCallback = (_, shown, _, problems) =>
            problems == SslPolicyErrors.None || IsOwn(shown, settings.Admin.TlsCertificate);
        _http = new HttpClient(handler) { Timeout = Timeout.InfiniteTimeSpan };
        try
        {
            _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", AdminToken.Read(settings.Admin.TokenFile!));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            _tokenMissing = e.Message;
        }
    }

    /// <summary>Base address of the admin port; another one after the server came back on another free port.</summary>
    public Uri Address => _found = Find() ?? _found;

    /// <summary>A client of another node of the site, that the same Breakwater asks for us.</summary>
    /// <param name="node">Its name; null: this host's.</param>
    /// <exception cref="AdminException">There is no admin port any more.</exception>
    public AdminClient At(string? node) => new(_settings, node);

    /// <summary>Reads.</summary>
    /// <exception cref="AdminException">It failed.</exception>
    public Task<T> GetAsync<T>(string path, CancellationToken cancellationToken) =>
        ReadAsync<T>(HttpMethod.Get, path, null, cancellationToken);

    /// <summary>Runs an action; <paramref name="body"/> is sent as JSON.</summary>
    /// <exception cref="AdminException">It failed.</exception>
    public Task<T> PostAsync<T>(string path, object? body, CancellationToken cancellationToken) =>
        ReadAsync<T>(HttpMethod.Post, path, body is null ? null : JsonContent.Create(body, body.GetType(), options: AdminServer.Json),
        cancellationToken);

    /// <summary>Removes.</summary>
    /// <exception cref="AdminException">It failed.</exception>
    public Task<T> DeleteAsync<T>(string path, CancellationToken cancellationToken) =>
        ReadAsync<T>(HttpMethod.Delete, path, null, cancellationToken);

    /// <summary>Sends a stream as an action's body, as it comes.</summary>
    /// <exception cref="AdminException">It failed.</exception>
    public Task<T> UploadAsync<T>(string path, Stream body, CancellationToken cancellationToken) =>
        ReadAsync<T>(HttpMethod.Post, path, new StreamContent(body), cancellationToken);

    /// <summary>Runs an action whose result is an <c>IAsyncEnumerable</c>: items come as the server has them (progress).</summary>
    /// <exception cref="AdminException">It failed.</exception>
    public async IAsyncEnumerable<T> StreamAsync<T>(
        HttpMethod method, string path, object? body,
        [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        HttpContent? content = body is null ? null : JsonContent.Create(body, body.GetType(), options: AdminServer.Json);
        using HttpResponseMessage response = await SendAsync(method, path, content, cancellationToken);
        await using Stream stream = await response.Content.ReadAsStreamAsync(cancellationToken);
        await foreach (T? item in JsonSerializer.DeserializeAsyncEnumerable<T>(stream, AdminServer.Json, cancellationToken))
        {
            yield return item!;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _http.Dispose();

    private Uri? Find()
    {
        try
        {
            return AdminAddressFile.Find(_settings.Admin);
        }
        catch (UnauthorizedAccessException e)
        {
            throw new AdminException($"Where the admin port is cannot be read: {e.Message} {AsWhom}", null, e);
        }
    }

    /// <summary>A command asks by address, and often of a certificate of its own: the very one of the settings is right.</summary>
    private static bool IsOwn(X509Certificate? shown, string? file)
    {
        List<string> unread = [];
        return shown is not null && file is not null && TlsFiles.ReadAuthorities("", file, unread) is [var own, ..]
            && own.RawData.AsSpan().SequenceEqual(shown.GetRawCertData());
    }

    private async Task<T> ReadAsync<T>(HttpMethod method, string path, HttpContent? content, CancellationToken cancellationToken)
    {
        using HttpResponseMessage response = await SendAsync(method, path, content, cancellationToken);
        try
        {
            return (await response.Content.ReadFromJsonAsync<T>(AdminServer.Json, cancellationToken))!;
        }
        catch (JsonException e)
        {
            throw new AdminException($"{Address} answered what this command does not understand: are both of the same release?",
                response.StatusCode, e);
        }
    }

    private async Task<HttpResponseMessage> SendAsync(HttpMethod method, string path, HttpContent? content,
        CancellationToken cancellationToken)
    {
        if (method != HttpMethod.Get && _tokenMissing is not null)
        {
            throw new AdminException(
                $"The admin token cannot be read: {_tokenMissing} {AsWhom}");
        }

        HttpResponseMessage response;
        try
        {
            var url = new Uri(Address, "/api/v1/" + _prefix + path.TrimStart('/'));
            using var request = new HttpRequestMessage(method, url) { Content = content };
            response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        }
        catch (HttpRequestException e)
        {
            throw new AdminException(
                $"No Breakwater answers on {Address} ({e.Message}). Start it with 'breakwater serve' or 'systemctl start breakwater', or "
                + $"set Admin:Listen as the server has it.", null, e);
        }

        if (response.IsSuccessStatusCode)
        {
            return response;
        }

        using (response)
        {
            throw await ToExceptionAsync(response, cancellationToken);
        }
    }

    private async Task<AdminException> ToExceptionAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        try
        {
            if (await response.Content.ReadFromJsonAsync<AdminProblem>(AdminServer.Json, cancellationToken) is { Error: not null } problem)
            {
                return new AdminException($"{problem.Error} {problem.Next}".TrimEnd(), response.StatusCode);
            }
        }
        catch (Exception e) when (e is JsonException or NotSupportedException)
        {
            // No problem of ours: told by its status below.
        }

        return new AdminException(
            response.StatusCode == HttpStatusCode.NotFound
                ? $"The Breakwater on {Address} does not know this: is it of another release, or is the feature off?"
                : $"{Address} answered {(int)response.StatusCode} {response.ReasonPhrase}.",
            response.StatusCode);
    }
}

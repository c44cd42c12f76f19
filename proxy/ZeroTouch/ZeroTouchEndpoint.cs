using System.Globalization;
using System.Net;
using System.Text;
using Breakwater.Proxy.Outcomes;
using Breakwater.Proxy.Serving;
using Breakwater.Proxy.Settings;
using Microsoft.Extensions.FileProviders;
using Microsoft.Net.Http.Headers;

namespace Breakwater.Proxy.ZeroTouch;

/// <summary>
/// Answers <c>/wpad.dat</c>, <c>/proxy.pac</c>, <c>/sharding.pac</c> and files below <c>/boot/</c>, in origin form only: the proxy itself
/// is asked, not a server behind it.
/// </summary>
internal sealed class ZeroTouchEndpoint(BreakwaterSettings settings, ResponseHeads heads, TimeProvider time) : IDisposable
{
    private const string Boot = "/boot/";
    private const string Sharding = "/sharding.pac";

    /// <summary>
    /// Hidden files and dot segments are not served: the provider sees to that. Links out of the folder: <see cref="BootFolder"/>.
    /// </summary>
    private readonly PhysicalFileProvider? _files =
        string.IsNullOrEmpty(settings.ZeroTouch.BootDirectory)
        ? null
        : new PhysicalFileProvider(Path.GetFullPath(settings.ZeroTouch.BootDirectory));

    /// <summary>Starts the answer when the target is ours; null when it is not.</summary>
    /// <param name="context">A GET or HEAD of an allowed client.</param>
    /// <param name="rawTarget">Request target as it came.</param>
    /// <param name="outcome">Says how it ended.</param>
    public Task? TryServe(HttpContext context, string rawTarget, RequestOutcome outcome)
    {
        string target = rawTarget.Split('?', 2)[0];
        if (target is "/wpad.dat" or "/proxy.pac" or Sharding)
        {
            outcome.Result = RequestResult.Local;
            return WritePacAsync(context, target, outcome);
        }

        if (_files is not null && NameOf(rawTarget) is { } name
            && _files.GetFileInfo(name) is { Exists: true, IsDirectory: false, PhysicalPath: { } path }
            && BootFolder.Find(_files.Root, path) is { } file)
        {
            outcome.Result = RequestResult.Local;
            return SendFileAsync(context, file, outcome);
        }

        return null;
    }

    /// <summary>May this be a file of the boot folder, now or later?</summary>
    public bool MayServe(string rawTarget) => _files is not null && NameOf(rawTarget) is not null;

    /// <summary>
    /// The name of a file below <c>/boot/</c>; null: another target. Boot loaders join URLs to <c>//boot/x</c>, and put their serial number
    /// behind a <c>?</c>.
    /// </summary>
    private static string? NameOf(string rawTarget)
    {
        string path = rawTarget.Split('?', 2)[0];
        string trimmed = path.StartsWith("//", StringComparison.Ordinal) ? "/" + path.TrimStart('/') : path;
        return trimmed.StartsWith(Boot, StringComparison.Ordinal) ? Uri.UnescapeDataString(trimmed[Boot.Length..].TrimStart('/')) : null;
    }

    /// <summary>
    /// A PAC file: all goes to the proxies, in order, then directly, so that a VM survives without us; not where there is no way out. Its
    /// answer is a constant: small machines have no interpreter.
    /// </summary>
    public static string Pac(IEnumerable<string> proxies, bool hasWayOut) =>
        "function FindProxyForURL(url, host) {\n  return \""
        + string.Join("; ", [.. proxies.Select(p => $"PROXY {p}"), .. hasWayOut ? ["DIRECT"] : Array.Empty<string>()]) + "\";\n}\n";

    /// <inheritdoc/>
    public void Dispose() => _files?.Dispose();

    /// <summary>
    /// With an entity tag: a download that is taken up again after the file was replaced gets the new one from its start (RFC 9110,
    /// 13.1.5). Tag and length are those of the file that was opened, so that one which takes its place now is not sent under them.
    /// </summary>
    private async Task SendFileAsync(HttpContext context, FileInfo file, RequestOutcome outcome)
    {
        outcome.StartsWith(context, time);
        FileStream content;
        try
        {
            content = file.Open(new FileStreamOptions
            {
                Share = FileShare.ReadWrite | FileShare.Delete,
                Options = FileOptions.Asynchronous | FileOptions.SequentialScan,
                BufferSize = 0,
            });
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            bool isForbidden = e is UnauthorizedAccessException;
            await heads.WriteErrorAsync(context, isForbidden ? StatusCodes.Status403Forbidden : StatusCodes.Status404NotFound,
                isForbidden ? "The file is in ZeroTouch:BootDirectory, but this proxy is not allowed to read it."
                    : "The file in ZeroTouch:BootDirectory is gone, or nothing that can be read.");
            return;
        }

        await using (content)
        {
            DateTime changed = File.GetLastWriteTimeUtc(content.SafeFileHandle);
            var tag = new EntityTagHeaderValue(string.Create(CultureInfo.InvariantCulture, $"\"{changed.Ticks:x}-{content.Length:x}\""));
            await Results.Stream(content, "application/octet-stream", lastModified: changed, entityTag: tag, enableRangeProcessing: true)
                .ExecuteAsync(context);
        }

        outcome.BytesSent = HttpMethods.IsHead(context.Request.Method) ? 0 : context.Response.ContentLength ?? 0;
    }

    private Task WritePacAsync(HttpContext context, string target, RequestOutcome outcome)
    {
        bool hasWayOut = !settings.Proxy.Offline;
        byte[] body = Encoding.ASCII.GetBytes(target == Sharding
            ? ShardingPac.Text(ProxiesFor(context), hasWayOut)
            : Pac(ProxyOrder.For(ProxiesFor(context), context.Connection.RemoteIpAddress ?? IPAddress.None), hasWayOut));
        HttpResponse response = context.Response;
        response.ContentType = "application/x-ns-proxy-autoconfig";
        response.ContentLength = body.Length;
        response.Headers.CacheControl = "private, max-age=300"; // it is this client's
        if (HttpMethods.IsHead(context.Request.Method))
        {
            return Task.CompletedTask;
        }

        outcome.BytesSent = body.Length;
        return response.Body.WriteAsync(body, context.RequestAborted).AsTask();
    }

    /// <summary>The address that the VM reached is one that it can reach; its Host header is not trusted.</summary>
    private string[] ProxiesFor(HttpContext context)
    {
        if (settings.ZeroTouch.Proxies.Length > 0)
        {
            return settings.ZeroTouch.Proxies;
        }

        IPAddress local = context.Connection.LocalIpAddress ?? IPAddress.Loopback;
        local = local.IsIPv4MappedToIPv6 ? local.MapToIPv4() : local;
        int port = context.Connection.LocalPort == settings.ZeroTouch.ListenEndPoint()?.Port
            ? settings.Proxy.ListenEndPoints().First().Port
            : context.Connection.LocalPort;
        return [new IPEndPoint(local, port).ToString()];
    }
}

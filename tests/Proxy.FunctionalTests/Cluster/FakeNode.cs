using System.Net;
using System.Security.Cryptography.X509Certificates;
using Breakwater.Proxy.Cluster;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;

namespace Breakwater.Proxy.FunctionalTests.Cluster;

/// <summary>A node with a right certificate that is alive, and does with requests for content what the test wants.</summary>
internal sealed class FakeNode : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly X509Certificate2 _certificate;
    private int _requests;

    private FakeNode(IPEndPoint endPoint, X509Certificate2 certificate, NodeAnnouncement announcement, RequestDelegate serve)
    {
        _certificate = certificate;
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel => kestrel.Listen(endPoint, listen =>
        {
            listen.Protocols = HttpProtocols.Http1;
            listen.UseHttps(new HttpsConnectionAdapterOptions
            {
                ServerCertificate = certificate,
                ClientCertificateMode = ClientCertificateMode.AllowCertificate,
                ClientCertificateValidation = (_, _, _) => true,
            });
        }));
        _app = builder.Build();
        _app.Run(context =>
        {
            context.Response.Headers[NodeAnnouncement.Field] = announcement.ToString();
            if (context.Request.Path == "/node/live")
            {
                context.Response.StatusCode = 204;
                return Task.CompletedTask;
            }

            Interlocked.Increment(ref _requests);
            return serve(context);
        });
    }

    /// <summary>Requests but probes.</summary>
    public int Requests => Volatile.Read(ref _requests);

    /// <summary>Starts one.</summary>
    public static async Task<FakeNode> StartAsync(IPEndPoint endPoint, SiteAuthority authority, NodeAnnouncement announcement,
        RequestDelegate serve)
    {
        var node = new FakeNode(endPoint, authority.IssueInMemory(announcement.Id), announcement, serve);
        await node._app.StartAsync();
        return node;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        _certificate.Dispose();
    }
}

using System.Text;
using System.Text.RegularExpressions;
using Breakwater.Proxy.Commands.Cluster;
using Breakwater.Proxy.Settings;
using Breakwater.TestSupport;
using Microsoft.Extensions.Configuration;

namespace Breakwater.Proxy.Tests.Deployment;

/// <summary>
/// deployment/kubernetes without a schema: the settings in it are right, and its parts fit each other. Schemas: <c>check.mjs</c> beside it.
/// </summary>
public sealed partial class KubernetesTests : IDisposable
{
    private static readonly string s_text = File.ReadAllText(Checkout.PathOf("deployment", "kubernetes", "breakwater.yaml"));

    private readonly TemporaryDirectory _certificates = new();

    public void Dispose() => _certificates.Dispose();

    [Fact]
    public void ItsSettings_WithThePodsEnvironmentAndTheSecretsFiles_AreThoseOfANode()
    {
        var authority = new SiteAuthority(_certificates.Path, null, TimeProvider.System);
        authority.Prepare(false);
        string json = SettingsBlock().Match(s_text).Groups[1].Value
            .Replace("/etc/breakwater-node/site-ca.pem", authority.CertificatePath, StringComparison.Ordinal);
        IConfigurationRoot pod = new ConfigurationBuilder()
            .AddJsonStream(new MemoryStream(Encoding.UTF8.GetBytes(json)))
            .AddInMemoryCollection(new Dictionary<string, string?>
            {
                ["Cluster:Name"] = "breakwater-0",
                ["Cluster:Certificate"] = authority.Issue("breakwater-0", TimeSpan.FromDays(30), false).File,
                ["Proxy:Offline"] = "true", // presets stand in other sources
            }).Build();

        BreakwaterSettings settings = BreakwaterSettings.Load(pod);

        Assert.True(settings.Cluster.IsOn);
        Assert.Equal("breakwater-0", settings.Cluster.Id);
        Assert.Equal(["dns://breakwater-pods:3129"], settings.Cluster.Nodes);
        Assert.Equal(3129, settings.Cluster.ListenEndPoint().Port);
    }

    [Theory]
    [InlineData("clusterIP: None\n  publishNotReadyAddresses: true")] // the nodes see each other before clients see them
    [InlineData("serviceName: breakwater-pods")]
    [InlineData("- { name: node, port: 3129 }")]
    [InlineData("- { name: node, containerPort: 3129 }")]
    [InlineData("- { name: Cluster__Name, value: $(POD_NAME) }")]
    [InlineData("subPathExpr: $(POD_NAME).pem")] // no pod sees another one's key
    [InlineData("secret: { secretName: breakwater-nodes")]
    [InlineData("- from: [ { podSelector: { matchLabels: { app: breakwater } } } ]\n      ports: [ { port: 3129, protocol: TCP } ]")]
    [InlineData("kind: PodDisruptionBudget")]
    public void Manifest_Has(string part) => Assert.Contains(part, s_text, StringComparison.Ordinal);

    [Fact]
    public void Manifest_HasNoTabs_AndOneKindAndNameADocument()
    {
        Assert.DoesNotContain('\t', s_text);
        Assert.All(s_text.Split("\n---\n"), document =>
        {
            Assert.Single(KindLine().Matches(document));
            Assert.Single(NameLine().Matches(document));
        });
    }

    [GeneratedRegex(@"appsettings\.json: \|\n((?:    .*\n)+)")]
    private static partial Regex SettingsBlock();

    [GeneratedRegex("^kind: ", RegexOptions.Multiline)]
    private static partial Regex KindLine();

    [GeneratedRegex("^metadata: { name: breakwater", RegexOptions.Multiline)]
    private static partial Regex NameLine();
}

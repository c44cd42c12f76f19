using System.Globalization;
using Breakwater.Proxy.Settings;
using Breakwater.TestSupport;
using Microsoft.Extensions.Configuration;

namespace Breakwater.Proxy.Tests.Settings;

/// <summary>The section <c>Cluster</c>: nodes, names, weights and certificates.</summary>
public sealed class ClusterCheckTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private readonly TlsAuthority _authority = new();

    public void Dispose()
    {
        _authority.Dispose();
        _directory.Dispose();
    }

    [Fact]
    public void Check_WithoutNodes_NothingCounts() =>
        Assert.Empty(Check(new ClusterOptions { Site = "a b", Weight = -1, Name = "?" }));

    [Theory]
    [InlineData("https://a:3129")]
    [InlineData("https://a:3129/")]
    [InlineData("https://a")]
    [InlineData("https://[::1]:3129")]
    [InlineData("dns://nodes:3129")]
    public void Check_APortOrANameOfAll_IsANode(string node) => Assert.Empty(Check(Right(node)));

    [Theory]
    [InlineData("http://a:3129")]
    [InlineData("a:3129")]
    [InlineData("dns://nodes")]
    [InlineData("https://user@a:3129")]
    [InlineData("https://a:3129/x")]
    [InlineData("https://a:3129/?x")]
    [InlineData("https://a:3129/#x")]
    [InlineData("dns://:3129")]
    public void Check_AnythingElse_IsNoNode(string node) =>
        Assert.StartsWith($"Cluster:Nodes: '{node}' is not", Assert.Single(Check(Right(node))), StringComparison.Ordinal);

    [Fact]
    public void Check_ANodeTwice_IsNamed() =>
        Assert.Equal("Cluster:Nodes: https://a:1 is there 2 times.",
            Assert.Single(Check(Right("https://a:1", "https://A:1/", "https://b:1"))));

    [Theory]
    [InlineData(0.01, true)]
    [InlineData(10_000, true)]
    [InlineData(0.009, false)]
    [InlineData(10_001, false)]
    [InlineData(double.NaN, false)]
    [InlineData(double.PositiveInfinity, false)]
    public void Check_Weight_HasBounds(double weight, bool isRight)
    {
        ClusterOptions cluster = Right("https://a:1");
        cluster.Weight = weight;

        Assert.Equal(isRight ? [] : [string.Create(CultureInfo.InvariantCulture, $"Cluster:Weight: {weight} is outside 0.01 to 10000.")],
            Check(cluster));
    }

    [Theory]
    [InlineData("nodes", 1)]
    [InlineData("NODES", 1)]
    [InlineData("node", 0)]
    public void Check_AClusterOfStratum1sWithTheNodesName_IsNamed(string name, int mistakes) =>
        Assert.Equal(mistakes, Check(Right("https://a:1"), name).Count);

    [Fact]
    public void IsWord_NamesOfNodesAndSites_Are()
    {
        Assert.True(ClusterCheck.IsWord("a"));
        Assert.True(ClusterCheck.IsWord(new string('a', 60) + "-._9"));
        Assert.All((string?[])[null, "", new string('a', 65), "a b", "a/b", "\u00e9"], word => Assert.False(ClusterCheck.IsWord(word)));
        ClusterOptions cluster = Right("https://a:1");
        cluster.Site = "a b";
        Assert.StartsWith("Cluster:Site: 'a b' must", Assert.Single(Check(cluster)), StringComparison.Ordinal);
    }

    [Fact]
    public void Check_Certificates_MustBeTheNodesAndTheAuthoritys()
    {
        (string name, Func<ClusterOptions, ClusterOptions> change)[] mistakes =
        [
            ("Cluster:Certificate and Cluster:TrustedCertificates: with Cluster:Nodes both are needed",
                c => { c.Certificate = null; return c; }),
            ("Cluster:Certificate and Cluster:TrustedCertificates: with Cluster:Nodes both are needed",
                c => { c.TrustedCertificates = ""; return c; }),
            ("Cluster:Certificate: '/nowhere/at/all' cannot be used: ", c => { c.Certificate = "/nowhere/at/all"; return c; }),
            ("Cluster:Certificate: '*ca.pem' cannot be used: ", c => { c.Certificate = c.TrustedCertificates; return c; }),
            ("Cluster:TrustedCertificates: '/nowhere/at/all' cannot be used: ",
                c => { c.TrustedCertificates = "/nowhere/at/all"; return c; }),
            ("Cluster:TrustedCertificates: there is no certificate in '*empty.pem'.", c =>
            {
                c.TrustedCertificates = Write("empty.pem", "nothing");
                return c;
            }),
            ("Cluster:Certificate: '*node.pem' is node's, and this node is 'other' (Cluster:Name).", c => { c.Name = "other"; return c; }),
            ("Cluster:Certificate: '*old.pem' would be refused by other nodes: ", c =>
            {
                (string old, string key) = _authority.Issue("node", days: -1);
                c.Certificate = Write("old.pem", old + key);
                return c;
            }),
            ("Cluster:Certificate: '*node.pem' would be refused by other nodes: ", c =>
            {
                using TlsAuthority stranger = new();
                c.TrustedCertificates = Write("stranger.pem", stranger.Pem);
                return c;
            }),
        ];

        Assert.All(mistakes, mistake => Assert.StartsWith(mistake.name,
            Assert.Single(Check(mistake.change(Right("https://a:1")))).Replace(_directory.Path + "/", "*", StringComparison.Ordinal),
            StringComparison.Ordinal));
    }

    private ClusterOptions Right(params string[] nodes)
    {
        (string certificate, string key) = _authority.Issue("node");
        return new ClusterOptions
        {
            Nodes = nodes,
            Name = "NODE",
            Certificate = Write("node.pem", certificate + key),
            TrustedCertificates = Write("ca.pem", _authority.Pem),
        };
    }

    private string Write(string name, string text)
    {
        File.WriteAllText(_directory.Combine(name), text);
        return _directory.Combine(name);
    }

    private static List<string> Check(ClusterOptions cluster, string stratum1s = "stratum1")
    {
        List<string> errors = [];
        ClusterCheck.Check(cluster, new ConfigurationBuilder().AddInMemoryCollection(
            [new($"ReverseProxy:Clusters:{stratum1s}:Destinations:1:Address", "http://a/")]).Build(), errors);
        return errors;
    }
}

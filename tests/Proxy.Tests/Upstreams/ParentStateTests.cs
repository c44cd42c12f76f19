using Breakwater.Proxy.Settings;
using Breakwater.Proxy.Upstreams;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Time.Testing;

namespace Breakwater.Proxy.Tests.Upstreams;

public class ParentStateTests
{
    private readonly FakeTimeProvider _time = new();

    [Fact]
    public void InOrder_FirstFailed_ComesLastUntilItsRestIsOver()
    {
        ParentProxies parents = Two();
        ParentState first = parents.InOrder("c")[0];
        first.NoteFailure("the parent proxy is not there");
        Assert.Equal(["http://b:1/", "http://a:1/"], Order(parents));

        _time.Advance(TimeSpan.FromSeconds(11));
        Assert.Equal(["http://a:1/", "http://b:1/"], Order(parents));
        Assert.Single(parents.Find());

        first.NoteAnswer();
        Assert.Empty(parents.Find());
    }

    [Fact]
    public void InOrder_FirstSaysNothing_TheNextRequestGoesByTheOther()
    {
        ParentProxies parents = Two();
        ParentState first = parents.InOrder("c")[0];
        long begun = first.Begin();
        Assert.Equal(["http://a:1/", "http://b:1/"], Order(parents));

        _time.Advance(TimeSpan.FromSeconds(1.5));
        Assert.Equal(["http://b:1/", "http://a:1/"], Order(parents));

        first.NoteAbandoned(begun);
        Assert.Equal(["http://b:1/", "http://a:1/"], Order(parents));
        Assert.Contains("did not answer", Assert.Single(parents.Find()).Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true, 5)]
    [InlineData(false, 0.2)]
    public void NoteAbandoned_OthersHadAnswersOrTheClientLeftSoon_IsNoFailure(bool answersOthers, double seconds)
    {
        ParentState state = Two().InOrder("c")[0];
        long begun = state.Begin();
        if (answersOthers)
        {
            state.NoteAnswer();
        }

        _time.Advance(TimeSpan.FromSeconds(seconds));
        state.NoteAbandoned(begun);

        Assert.Null(state.Failure);
        Assert.False(state.IsDoubtful);
    }

    [Fact]
    public void Read_Mistakes_AreAllNamedWithoutPasswords()
    {
        List<string> errors = [];
        ParentSettings.Read(Cluster(new()
        {
            ["Address"] = "http://a:1",
            ["Others:0"] = "http://site:secret@a:1/",
            ["Others:1"] = "socks5://site:secret@b:1",
            ["NoProxy:0"] = "10.0.0.0/8",
            ["CredentialsFile"] = "/nonexistent/file",
        }), errors);

        Assert.Equal(4, errors.Count);
        Assert.DoesNotContain(errors, e => e.Contains("secret", StringComparison.Ordinal));

        errors.Clear();
        ParentSettings.Read(Cluster(new() { ["Others:0"] = "http://a:1" }), errors);
        Assert.Contains("the first parent proxy belongs here", Assert.Single(errors), StringComparison.Ordinal);
    }

    private static IConfigurationSection Cluster(Dictionary<string, string?> webProxy) => Configure(webProxy)
        .GetSection("ReverseProxy:Clusters:c");

    private static IConfigurationRoot Configure(Dictionary<string, string?> webProxy) => new ConfigurationBuilder()
        .AddInMemoryCollection(webProxy.Select(s =>
            new KeyValuePair<string, string?>("ReverseProxy:Clusters:c:HttpClient:WebProxy:" + s.Key, s.Value))).Build();

    private static string[] Order(ParentProxies parents) => [.. parents.InOrder("c").Select(s => s.Proxy.ToString())];

    private ParentProxies Two() =>
        new(Configure(new() { ["Address"] = "http://a:1", ["Others:0"] = "http://b:1" }), _time);
}

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

    /// <summary>Ten seconds after a failure; a second after the first request that was not answered.</summary>
    [Fact]
    public void IsDoubtful_ForATime_Ends()
    {
        ParentState state = Two().InOrder("c")[0];
        Assert.False(state.IsDoubtful);
        state.NoteFailure("x");
        _time.Advance(TimeSpan.FromSeconds(10) - TimeSpan.FromTicks(1));
        Assert.True(state.IsDoubtful);
        _time.Advance(TimeSpan.FromTicks(1));
        Assert.Equal((false, "x"), (state.IsDoubtful, state.Failure));

        state.NoteAnswer();
        Assert.Null(state.Failure);
        state.Begin();
        _time.Advance(TimeSpan.FromSeconds(0.5));
        state.Begin(); // the first counts
        _time.Advance(TimeSpan.FromSeconds(0.5) - TimeSpan.FromTicks(1));
        Assert.False(state.IsDoubtful);
        _time.Advance(TimeSpan.FromTicks(1));
        Assert.True(state.IsDoubtful);
        state.NoteFailure("y");
        _time.Advance(TimeSpan.FromSeconds(11));
        Assert.False(state.IsDoubtful); // nobody waits any more
    }

    [Theory]
    [InlineData(0, true)]
    [InlineData(-1, false)]
    public void NoteAbandoned_AfterASecondOfSilence_IsAFailure(int ticks, bool isFailure)
    {
        ParentState state = Two().InOrder("c")[0];
        long begun = state.Begin();
        _time.Advance(TimeSpan.FromSeconds(1) + TimeSpan.FromTicks(ticks));
        state.NoteAbandoned(begun);

        Assert.Equal(isFailure ? "the parent proxy http://a:1/ did not answer" : null, state.Failure);
    }

    /// <summary>A request that began before the silence says nothing of it.</summary>
    [Fact]
    public void NoteAbandoned_OfOneThatBeganBefore_IsNoFailure()
    {
        ParentState state = Two().InOrder("c")[0];
        long early = state.Begin();
        _time.Advance(TimeSpan.FromSeconds(5));
        state.NoteAnswer();
        state.Begin();
        _time.Advance(TimeSpan.FromSeconds(5));
        state.NoteAbandoned(early);

        Assert.Null(state.Failure);
    }

    [Fact]
    public void Signs_OnceAnAnswerWasSigned_IsSo()
    {
        ParentState state = Two().InOrder("c")[0];
        state.NoteAnswer();
        Assert.False(state.Signs);
        state.NoteAnswer(isSigned: true);
        state.NoteAnswer();
        Assert.True(state.Signs);
    }

    [Fact]
    public void Find_OneOfTwoOrBoth_SaysWhetherAWayIsLeft()
    {
        ParentProxies parents = Two();
        ParentState[] states = [.. parents.InOrder("c")];
        states[1].NoteFailure("the parent proxy b is not there");
        Assert.Equal("Cluster c: the parent proxy b is not there. The next parent proxy is asked in its place.",
            Assert.Single(parents.Find()).Text);
        states[0].NoteFailure("a is not there");
        Assert.Equal(["Cluster c: a is not there.", "Cluster c: the parent proxy b is not there."],
            parents.Find().Select(finding => finding.Text.Split(" What")[0]));
    }

    [Fact]
    public void Of_AClustersParents_AreFoundByTheirAddress()
    {
        ParentProxies parents = Two();
        Assert.Equal("http://a:1/", parents.Of("C")?.ToString());
        Assert.Equal("http://b:1/", parents.Of("c", new Uri("http://b:1/"))?.ToString());
        Assert.Null(parents.Of("c", new Uri("http://b:2/")));
        Assert.Null(parents.Of("d"));
        Assert.Null(parents.Of("d", new Uri("http://b:1/")));
        Assert.Empty(parents.InOrder("d"));
        Assert.False(parents.IsBypassed("d", new Uri("http://s1/")));
        parents.Replace(Configure(new() { ["Address"] = "http://u:p@c:1", ["NoProxy:0"] = "s1" }));
        Assert.Equal("http://c:1/", Assert.Single(Order(parents)));
        Assert.True(parents.IsBypassed("c", new Uri("http://s1/")));
        Assert.False(parents.IsBypassed("c", new Uri("http://s2/")));

        var choice = new ParentChoice(parents, "c", new System.Net.WebProxy(new Uri("http://system:1/"), true));
        Assert.Equal("http://system:1/", choice.GetProxy(new Uri("http://s2/"))?.ToString());
        ParentChoice.Choose(new Uri("http://c:1/"));
        Assert.Equal("http://c:1/", choice.GetProxy(new Uri("http://s2/"))?.ToString());
        Assert.Equal((true, true, false), (choice.IsBypassed(new Uri("http://s1/")), choice.IsBypassed(new Uri("http://localhost/")),
            choice.IsBypassed(new Uri("http://s2.example.org/"))));
        Assert.Equal("u", choice.Credentials!.GetCredential(new Uri("http://c:1/"), "Basic")?.UserName);
        Assert.Null(choice.Credentials!.GetCredential(new Uri("http://other:1/"), "Basic"));
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

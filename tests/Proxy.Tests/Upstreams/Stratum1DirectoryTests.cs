using Breakwater.Proxy.Outcomes;
using Breakwater.Proxy.Upstreams;
using Yarp.ReverseProxy.Configuration;
using Yarp.ReverseProxy.Health;
using Yarp.ReverseProxy.Model;

namespace Breakwater.Proxy.Tests.Upstreams;

/// <summary>What failures and answers of a Stratum 1 lead to.</summary>
public sealed class Stratum1DirectoryTests : IDisposable, IDestinationHealthUpdater
{
    private readonly HttpMessageInvoker _client = new(new SocketsHttpHandler());
    private readonly Stratum1Outcomes _outcomes = new();
    private readonly List<TimeSpan> _givenUp = [];
    private readonly Stratum1Directory _directory;

    public Stratum1DirectoryTests() => _directory = new Stratum1Directory(null!, this, _outcomes, new NoNodes()); // nobody looks one up

    public void Dispose() => _client.Dispose();

    [Fact]
    public void ReportFailure_ThreeInARow_GoesToTheEndOfTheLineAndIsCountedAnew()
    {
        Stratum1 s1 = Upstream();
        int[] givenUp = new int[7];
        for (int i = 0; i < givenUp.Length; i++)
        {
            _directory.ReportFailure(s1, FailureKind.Timeout);
            givenUp[i] = _givenUp.Count;
        }

        Assert.Equal([0, 0, 1, 1, 1, 2, 2], givenUp);
        Assert.All(_givenUp, rest => Assert.Equal(TimeSpan.FromSeconds(30), rest));
    }

    [Fact]
    public void ReportFailure_WithAnAnswerBetween_IsBadLuck()
    {
        Stratum1 s1 = Upstream();
        for (int i = 0; i < 9; i++)
        {
            _directory.ReportFailure(s1, FailureKind.Status);
            _directory.ReportFailure(s1, FailureKind.Broken);
            _directory.ReportSuccess(s1);
        }

        Assert.Empty(_givenUp);
    }

    [Theory]
    [InlineData("NotFound", "Answers")]
    [InlineData("Refused", "Answers")]
    [InlineData("Parent", "NotAskedYet")]
    public void ReportFailure_OfWhatIsNotItsOwn_IsNotHeldAgainstIt(string kind, string state)
    {
        Stratum1 s1 = Upstream();
        for (int i = 0; i < 9; i++)
        {
            _directory.ReportFailure(s1, Enum.Parse<FailureKind>(kind));
        }

        Assert.Empty(_givenUp);
        Assert.Equal((state, state == "Answers"), (_outcomes.StateOf(s1.Destination).ToString(), _outcomes.IsUsed(s1.Destination)));
    }

    [Theory]
    [InlineData(false, 0, 0)]
    [InlineData(true, 7, 7)]
    [InlineData(null, 7, 7)]
    [InlineData(null, null, 30)]
    public void ReportFailure_AsTheSettingsOfItsClusterSay_IsGivenUpForSoLong(bool? isEnabled, int? seconds, int rest)
    {
        Stratum1 s1 = Upstream(new PassiveHealthCheckConfig
        {
            Enabled = isEnabled,
            ReactivationPeriod = seconds is { } set ? TimeSpan.FromSeconds(set) : null,
        });
        for (int i = 0; i < 3; i++)
        {
            _directory.ReportFailure(s1, FailureKind.Timeout);
        }

        TimeSpan[] expected = rest == 0 ? [] : [TimeSpan.FromSeconds(rest)];
        Assert.Equal(expected, _givenUp);
    }

    [Fact]
    public void StateOf_AStratum1_IsByItsLastOutcomeUnlessItIsDown()
    {
        Stratum1 s1 = Upstream();
        Assert.Equal((Stratum1State.NotAskedYet, false), State());
        _outcomes.NoteProbe(s1.Destination, hasAnswered: false);
        Assert.Equal((Stratum1State.Failing, false), State());
        _outcomes.NoteProbe(s1.Destination, hasAnswered: true);
        Assert.Equal((Stratum1State.Answers, false), State());
        _directory.ReportFailure(s1, FailureKind.Timeout);
        Assert.Equal((Stratum1State.Failing, true), State());
        _directory.ReportSuccess(s1);
        Assert.Equal((Stratum1State.Answers, true), State());
        s1.Destination.Health.Passive = DestinationHealth.Unhealthy;
        Assert.Equal((Stratum1State.AskedLast, true), State());
        s1.Destination.Health.Passive = DestinationHealth.Healthy;
        s1.Destination.Health.Active = DestinationHealth.Unhealthy;
        Assert.Equal((Stratum1State.AskedLast, true), State());

        (Stratum1State State, bool IsUsed) State() => (_outcomes.StateOf(s1.Destination), _outcomes.IsUsed(s1.Destination));
    }

    void IDestinationHealthUpdater.SetPassive(
        ClusterState cluster, DestinationState destination, DestinationHealth newHealth, TimeSpan reactivationPeriod)
    {
        Assert.Equal(DestinationHealth.Unhealthy, newHealth);
        _givenUp.Add(reactivationPeriod);
    }

    void IDestinationHealthUpdater.SetActive(ClusterState cluster, IEnumerable<NewActiveDestinationHealth> newHealthStates) =>
        throw new NotSupportedException();

    private Stratum1 Upstream(PassiveHealthCheckConfig? passive = null)
    {
        var config = new ClusterConfig { ClusterId = "test", HealthCheck = new HealthCheckConfig { Passive = passive } };
        return new Stratum1(
            new ClusterState("test", new ClusterModel(config, _client)),
            new DestinationState("s1", new DestinationModel(new DestinationConfig { Address = "http://s1.example.org/" })), _client);
    }
}

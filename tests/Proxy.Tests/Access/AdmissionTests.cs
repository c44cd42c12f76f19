using System.Net;
using Breakwater.Proxy.Access;
using Microsoft.Extensions.Time.Testing;

namespace Breakwater.Proxy.Tests.Access;

/// <summary>One decision for the pipeline, tunnels and the event loops.</summary>
public sealed class AdmissionTests : IDisposable
{
    private static readonly IPAddress s_inside = IPAddress.Parse("10.0.0.1");
    private readonly Drain _drain = new();
    private readonly FakeTimeProvider _time = new();

    public void Dispose() => _drain.Dispose();

    [Fact]
    public void Admit_EachRefusal_HasItsStatusAndText()
    {
        Admission admission = Make(users: new() { ["a"] = "b" });
        Assert.Same(Refusal.Address, admission.Admit(null, null).Refusal);
        Assert.Same(Refusal.Address, admission.Admit(IPAddress.Parse("192.0.2.1"), "Basic YTpi").Refusal);
        Assert.Same(Refusal.User, admission.Admit(s_inside, null).Refusal);
        Assert.Equal(new Verdict(null, TimeSpan.Zero), admission.Admit(s_inside, "Basic YTpi"));
        Assert.Equal([403, 407, 429], [Refusal.Address.Status, Refusal.User.Status, Refusal.TooFast.Status]);
    }

    [Fact]
    public void Admit_RequestsAreLimited_TheyWaitThenAreRefused()
    {
        Admission admission = Make(requestsPerSecond: 1);
        Verdict[] verdicts = [.. Enumerable.Range(0, 5).Select(_ => admission.Admit(s_inside, null))];
        Assert.Equal([0, 0, 1, 2], verdicts[..4].Select(v => v.Wait.TotalSeconds));
        Assert.Same(Refusal.TooFast, verdicts[4].Refusal);
    }

    [Fact]
    public void AllowsAtOnce_SomethingStandsBetween_IsFalse()
    {
        Assert.True(Make().AllowsAtOnce(s_inside));
        Assert.False(Make().AllowsAtOnce(IPAddress.Parse("192.0.2.1")));
        Assert.False(Make(users: new() { ["a"] = "b" }).AllowsAtOnce(s_inside));
        Assert.False(Make(requestsPerSecond: 100).AllowsAtOnce(s_inside));
        _drain.Begin();
        Assert.False(Make().AllowsAtOnce(s_inside));
        Assert.True(Make().IsDraining);
    }

    private Admission Make(Dictionary<string, string>? users = null, int requestsPerSecond = 0)
    {
        var limits = new ClientLimits(0, requestsPerSecond, _time);
        Assert.True(limits.TryEnter(s_inside));
        return new Admission(new ClientAccess(["10.0.0.0/8"]), new ProxyUsers(users ?? []), limits, _drain);
    }
}

using Breakwater.Proxy.Admin;
using Breakwater.Proxy.Commands;

namespace Breakwater.Proxy.Tests.Commands;

public class DoctorCommandTests
{
    private static readonly DateTimeOffset Now = new(2026, 12, 1, 12, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData(30.5, CheckLevel.Ok, "30 days left, revision 7, verified")]
    [InlineData(3, CheckLevel.Ok, "3 days left, revision 7, verified")]
    [InlineData(2.9, CheckLevel.Warning, "2 days left, revision 7, verified")]
    [InlineData(0, CheckLevel.Warning, "0 days left, revision 7, verified")]
    [InlineData(-0.1, CheckLevel.Failure, "expired at 2026-12-01 09:36:00Z: clients refuse the repository")]
    public void Whitelist_ByDaysLeft_IsFineWarnedOfOrAFailure(double days, object level, string found)
    {
        DoctorCheck check = DoctorCommand.Whitelist(View("verified", Now.AddDays(days)), Now);

        Assert.Equal(("whitelist a.example.org", (CheckLevel)level, found), (check.Name, check.Level, check.Found));
        Assert.Equal(check.Level == CheckLevel.Ok, check.Next is null);
    }

    [Theory]
    [InlineData("unverified", null, CheckLevel.Warning, "not read: the repository is unverified")]
    [InlineData("none", null, CheckLevel.Ok, "nobody has asked for the repository's manifest yet")]
    [InlineData("none", "Signature: no key fits", CheckLevel.Warning, "none is accepted")]
    public void Whitelist_NotRead_SaysWhy(string trust, string? refusal, object level, string found)
    {
        DoctorCheck check = DoctorCommand.Whitelist(View(trust, null) with { LastRefusal = refusal }, Now);

        Assert.Equal(((CheckLevel)level, found), (check.Level, check.Found));
        Assert.Equal(refusal, check.Level == CheckLevel.Warning && trust == "none" ? check.Next : null);
    }

    // 21: "nobody has asked" of one that was asked for and answered by a 502.
    [Fact]
    public void Whitelist_OfAManifestThatDidNotCome_SaysSo()
    {
        DoctorCheck check = DoctorCommand.Whitelist(View("none", null) with { LastFailure = "connection refused" }, Now);

        Assert.Equal((CheckLevel.Warning, "the repository's manifest was asked for and did not come: connection refused"),
            (check.Level, check.Found));
    }

    private static RepositoryView View(string trust, DateTimeOffset? end) => new("a.example.org", 7, trust, Now, end, null, null, null);
}

using Breakwater.Proxy.Commands;
using Breakwater.Proxy.WorkingSets;

namespace Breakwater.Proxy.Tests.Commands;

public class DoctorCommandTests
{
    private static readonly DateTimeOffset Now = new(2026, 12, 1, 12, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData(30.5, CheckLevel.Ok, "30 days left, revision 7, verified")]
    [InlineData(2.9, CheckLevel.Warning, "2 days left, revision 7, verified")]
    [InlineData(-0.1, CheckLevel.Failure, "expired at 2026-12-01 09:36:00Z: clients refuse the repository")]
    public void Whitelist_ByDaysLeft_IsFineWarnedOfOrAFailure(double days, object level, string found)
    {
        DoctorCheck check = DoctorCommand.Whitelist(View("verified", Now.AddDays(days)), Now);

        Assert.Equal(("whitelist a.example.org", (CheckLevel)level, found), (check.Name, check.Level, check.Found));
        Assert.Equal(check.Level == CheckLevel.Ok, check.Next is null);
    }

    [Theory]
    [InlineData("unverified", "not read: the repository is unverified")]
    [InlineData("none", "not read: the repository is not known yet")]
    public void Whitelist_NotRead_SaysWhy(string trust, string found)
    {
        DoctorCheck check = DoctorCommand.Whitelist(View(trust, null), Now);

        Assert.Equal((CheckLevel.Warning, found), (check.Level, check.Found));
    }

    private static RepositoryView View(string trust, DateTimeOffset? end) => new("a.example.org", 7, trust, Now, end, null, null, null);
}
